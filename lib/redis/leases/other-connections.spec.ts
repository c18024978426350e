import { describe, expect, it, jest } from '@jest/globals';
import { ReplyError, type Command } from 'ioredis';
import { attend } from '../opening/attendance.js';
import { OtherConnections } from './other-connections.js';
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
const loss: Call = () => Promise.reject(new Error('Connection is closed.'));
const refusal: Call = () => Promise.reject(new (ReplyError as ErrorConstructor)('NOPERM'));

/** One that ioredis still takes for ready. */
function aClientWithoutSocket() {
  const client = aClient(1);
  return Object.assign(client, { stream: Object.assign(client.stream, { writable: false }) });
}

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
    await expect(told).resolves.toBe(true); // by the other one
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
    await expect(messenger.tell(WORDS, 1_000)).resolves.toBe(false);
    messenger.done();
    await new Promise(setImmediate);
    expect(ready!.call).not.toHaveBeenCalled();
    expect(extra!.call).not.toHaveBeenCalled();
  });

  it('uses a connection that is open anyway', async () => {
    const ready = aClient(1);
    const { make, messenger } = aMessenger({ ready });
    await expect(messenger.tell(WORDS, 20)).resolves.toBe(true);
    messenger.done();
    expect(ready.call.mock.calls).toEqual([WORDS]);
    expect(make).not.toHaveBeenCalled();
  });

  it.each<[string, World, isSettled: boolean]>([
    ['none is open', {}, true],
    ['what is open leads to another server', { ready: aClient(2) }, true],
    ['what is open has no socket any more', { ready: aClientWithoutSocket() }, true],
    ['what is open does not answer, and may still pass it on', { ready: aClient(1, silence) }, false],
    ['what is open is lost, and may have passed it on', { ready: aClient(1, loss) }, false],
  ])('opens one where %s, and closes it', async (_why, world, isSettled) => {
    const extra = aClient(1);
    const { messenger } = aMessenger({ ...world, extras: [extra] });
    await expect(messenger.tell(WORDS, 20)).resolves.toBe(true);
    await expect(messenger.tell(WORDS, 20)).resolves.toBe(true);
    expect(extra.call).toHaveBeenCalledTimes(2);
    expect(extra.status).toBe('ready');
    expect(messenger.done()).toBe(isSettled);
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

  it.each<[string, Call, port: number, isSettled: boolean]>([
    ['is refused by the server', refusal, 1, true],
    ['would speak to another server', () => Promise.resolve(1), 2, true],
    ['is not answered', silence, 1, false],
  ])('is not heard when it %s', async (_why, call, port, isSettled) => {
    const extra = aClient(port, call);
    const { messenger } = aMessenger({ extras: [extra] });
    await expect(messenger.tell(WORDS, 20)).resolves.toBe(false);
    if (port === 2) expect(extra.call).not.toHaveBeenCalled();
    expect(messenger.done()).toBe(isSettled);
  });
});
