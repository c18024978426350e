import { describe, expect, it } from '@jest/globals';
import { diagnosed } from './diagnosis.js';

const coded = (code: string, message: string, reason?: string): Error =>
  Object.assign(new Error(message), { code, reason });

describe('What an error of a connection means', () => {
  it.each([
    [new Error('ERR invalid password'), 'refuses this user or password'],
    [new Error('NOAUTH HELLO must be called with the client already authenticated'), 'asks for a password'],
    [new Error('ERR SELECT is not allowed in cluster mode'), 'a cluster has only 0'],
    [
      new Error("NOPERM User app has no permissions to run the 'select' command"),
      'may not choose a database',
    ],
    [new Error('LOADING Redis is loading the dataset in memory'), 'still loading'],
    [
      new Error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
      'lost its master',
    ],
    [new Error('BUSY Redis is busy running a script.'), 'SCRIPT KILL'],
    [coded('EAI_AGAIN', 'getaddrinfo EAI_AGAIN redis'), 'cannot be resolved'],
    [coded('ETIMEDOUT', 'connect ETIMEDOUT'), 'cannot be reached'],
    [coded('EHOSTUNREACH', 'connect EHOSTUNREACH 10.0.0.1:6379'), 'cannot be reached'],
    [coded('EACCES', 'connect EACCES /run/redis.sock'), 'may not use that socket'],
    [coded('CERT_NOT_YET_VALID', 'certificate is not yet valid'), 'check the clocks'],
    // The alert of TLS 1.2, as OpenSSL 3.0 (Node 20, 22) and OpenSSL 3.5 (Node 24) name it.
    [coded('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'alert 40', 'alert 40'), 'wants a certificate'],
    [coded('ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'alert 40', 'alert 40'), 'wants a certificate'],
  ])('is told beside it: %s', (error, meaning) => {
    const told = diagnosed(error);
    expect(told.message).toContain(meaning);
    expect(told.message).toContain(`(${error.message})`);
    expect(told.cause).toBe(error);
    expect((told as NodeJS.ErrnoException).code).toBe((error as NodeJS.ErrnoException).code);
  });

  it('is told with the reason of OpenSSL, and not the place in its source', () => {
    const error = coded(
      'ERR_SSL_WRONG_VERSION_NUMBER',
      '80:error:0A:SSL:record.c:350:',
      'wrong version number',
    );
    expect(diagnosed(error).message).toMatch(/does not speak TLS at that port.* \(wrong version number\)$/);
  });

  it('is told of a host with two addresses', () => {
    const both = new AggregateError([
      new Error('connect ECONNREFUSED ::1:1'),
      new Error('connect ECONNREFUSED 127.0.0.1:1'),
    ]);
    const told = diagnosed(Object.assign(both, { code: 'ECONNREFUSED' }));
    expect(told.message).toContain('(connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1)');
  });

  it('is not told with all that a server likes to say', () => {
    const error = new Error(`DENIED Redis is running in protected mode because ${'x'.repeat(2_000)}`);
    expect(diagnosed(error).message.length).toBeLessThan(350);
  });

  it('is nothing more when nobody knows', () => {
    const error = new Error('ERR something else, such as NOAUTH ');
    expect(diagnosed(error)).toBe(error);
  });
});
