import { describe, expect, it, jest } from '@jest/globals';
import { ReplyError, type Command } from 'ioredis';
import { attend } from '../opening/attendance.js';
import { OtherConnections, type Reception } from './other-connections.js';
import { FakeRedisClient } from '../redis-client.fake.js';

type Call = (...words: string[]) => Promise<unknown>;

/** A client that is connected to a server at this port. */
function aClient(port: number, call: Call = () => Promise.resolve(1)) {
  const client = Object.assign(new FakeRedisClient(), { call: jest.fn(call) });
  Object.assign(client.stream, { remoteAddress: '127.0.0.1', remotePort: port, writable: true });
  client.sendCommand = (command) => {
    const args = command.args.map(String);
    client.call(command.name, ...args).then(command.resolve, command.reject);
    return command.promise;
  };
  return client;
}

/** As {@link aClient}, where the server has said which run of it this is. */
function aClientOfRun(runId: string) {
  const nothing = () => undefined;
  const connector = { connect: nothing, disconnect: nothing, check: () => true };
  const client = Object.assign(aClient(1), { connector });
  attend(client.asRedis, { inspect: nothing });
  (connector.check as (info: object) => boolean)({ run_id: runId });
  return client;
}

interface World {
  ready?: FakeRedisClient;
  extras?: FakeRedisClient[];
}

function aMessenger({ ready, extras = [] }: World) {
  const make = jest.fn(() => {
    const extra = extras.shift()!;
    setImmediate(() => extra.becomeReady());
    return extra.asRedis;
  });
  const others = new OtherConnections({ ready: () => (ready === undefined ? [] : [ready.asRedis]), make });
  return { make, others, messenger: others.for(aClient(1).asRedis) };
}

const WORDS = ['CLIENT', 'UNBLOCK', '7', 'ERROR'];
const silence: Call = () => new Promise(() => undefined);

describe('A messenger', () => {
  it('has ioredis send no word again when its connection is lost', async () => {
    const ready = aClient(1, silence);
    const { messenger } = aMessenger({ ready, extras: [aClient(1)] });
    const sent: Command[] = [];
    const send = ready.sendCommand.bind(ready);
    ready.sendCommand = (command) => send((sent.push(command), command));
    const told = messenger.tell(WORDS, 1_000);
    ready.stream.emit('close');
    expect(sent[0]?.isSettled).toBe(true);
    await expect(told).resolves.toBe('heard'); // by the other one
    messenger.done();
    await new Promise(setImmediate);
  });

  it('says nothing to a server that was restarted, where somebody else has the same number', async () => {
    const [former, ready, extra] = ['first', 'second', 'second'].map(aClientOfRun) as ReturnType<
      typeof aClient
    >[];
    const make = () => {
      setImmediate(() => extra!.becomeReady());
      return extra!.asRedis;
    };
    const messenger = new OtherConnections({ ready: () => [ready!.asRedis], make }).for(former!.asRedis);
    await expect(messenger.tell(WORDS, 1_000)).resolves.toBe('refused');
    messenger.done();
    await new Promise(setImmediate);
    expect(ready!.call).not.toHaveBeenCalled();
    expect(extra!.call).not.toHaveBeenCalled();
  });

  it('uses a connection that is open anyway', async () => {
    const ready = aClient(1);
    const { make, messenger } = aMessenger({ ready });
    await expect(messenger.tell(WORDS, 20)).resolves.toBe('heard');
    messenger.done();
    expect(ready.call.mock.calls).toEqual([WORDS]);
    expect(make).not.toHaveBeenCalled();
  });

  it.each<[string, World]>([
    ['none is open', {}],
    ['what is open leads to another server', { ready: aClient(2) }],
    ['what is open does not answer', { ready: aClient(1, silence) }],
    ['what is open is lost', { ready: aClient(1, () => Promise.reject(new Error('Connection is closed.'))) }],
  ])('opens one where %s, and closes it', async (_why, world) => {
    const extra = aClient(1);
    const { messenger } = aMessenger({ ...world, extras: [extra] });
    await expect(messenger.tell(WORDS, 20)).resolves.toBe('heard');
    await expect(messenger.tell(WORDS, 20)).resolves.toBe('heard');
    expect(extra.call).toHaveBeenCalledTimes(2);
    expect(extra.status).toBe('ready');
    messenger.done();
    await new Promise(setImmediate);
    expect(extra.status).toBe('end');
  });

  it('shares the one that was opened with others, until all are done', async () => {
    const extra = aClient(1);
    const { make, others, messenger } = aMessenger({ extras: [extra] });
    const other = others.for(aClient(1).asRedis);
    await Promise.all([messenger.tell(WORDS, 20), other.tell(WORDS, 100)]);
    messenger.done();
    await new Promise(setImmediate);
    expect(extra.status).toBe('ready');
    other.done();
    await new Promise(setImmediate);
    expect(extra.status).toBe('end');
    expect(make).toHaveBeenCalledTimes(1);
  });

  it.each<[Reception, string, Call, number]>([
    [
      'refused',
      'is refused by the server',
      () => Promise.reject(new (ReplyError as ErrorConstructor)('NOPERM')),
      1,
    ],
    ['refused', 'would speak to another server', () => Promise.resolve(1), 2],
    ['unanswered', 'is not answered', silence, 1],
  ])('is %s when it %s', async (reception, _why, call, port) => {
    const extra = aClient(port, call);
    const { messenger } = aMessenger({ extras: [extra] });
    await expect(messenger.tell(WORDS, 20)).resolves.toBe(reception);
    if (port === 2) expect(extra.call).not.toHaveBeenCalled();
    messenger.done();
  });
});
