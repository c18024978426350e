import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Command, ReplyError } from 'ioredis';
import { keepDiscreet } from './discretion.js';
import { FakeRedisClient } from '../redis-client.fake.js';

const SECRET = 'correct-horse';

/** An error as ioredis makes it of the server's answer. */
function replyError(message: string, { name, args }: Command): Error {
  const error = new (ReplyError as new (message: string) => Error)(message);
  return Object.assign(error, { command: { name, args } });
}

/** What the sender of a command gets when the server refuses it. */
async function refused(command: Command, message: string): Promise<Error> {
  const client = new FakeRedisClient();
  keepDiscreet(client.asRedis);
  client.sendCommand(command);
  command.reject(replyError(message, command));
  return command.promise.then(
    () => new Error('not refused'),
    (error: Error) => error,
  );
}

const everythingIn = (error: Error) => inspect(error, { depth: Infinity, showHidden: true });

describe('The error of a command', () => {
  it.each([
    ['auth', ['default', SECRET]],
    ['HELLO', ['3', 'AUTH', 'default', SECRET]],
    ['acl', ['SETUSER', 'bob', `>${SECRET}`]],
    ['config', ['SET', 'requirepass', SECRET]],
    ['migrate', ['host', '6379', 'key', '0', '100', 'AUTH', SECRET]],
  ])('%s does not hold its arguments', async (name, args) => {
    const error = await refused(new Command(name, args), 'ERR no');
    expect(everythingIn(error)).not.toContain(SECRET);
    expect(error).toMatchObject({ name: 'ReplyError', message: 'ERR no', command: { name, args: [] } });
  });

  it.each([
    [
      new Command('hello', ['3', 'AUTH', 'default', SECRET]),
      `ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' '${SECRET}' `,
      "ERR unknown command 'HELLO'",
    ],
    [
      new Command('acl', ['SETUSER', 'bob', `<${SECRET}`]),
      `ERR Error in ACL SETUSER modifier '<${SECRET}': no such password`,
      'ERR Error in ACL SETUSER: no such password',
    ],
  ])('does not repeat what the server repeats', async (command, message, remains) => {
    const error = await refused(command, message);
    expect(error.message).toBe(remains);
    expect(everythingIn(error)).not.toContain(SECRET);
  });

  it('that holds no secret stays as it is', async () => {
    const error = await refused(new Command('hset', ['key', 'field']), 'ERR wrong number of arguments');
    expect(error).toMatchObject({ command: { name: 'hset', args: ['key', 'field'] } });
  });

  it('that several commands share is not changed for the others', async () => {
    const client = new FakeRedisClient();
    keepDiscreet(client.asRedis);
    const command = new Command('auth', [SECRET]);
    client.sendCommand(command);
    const closed = new Error('Connection is closed.');
    command.reject(closed);
    await expect(command.promise).rejects.toBe(closed);
    expect(closed).not.toHaveProperty('command');
  });
});
