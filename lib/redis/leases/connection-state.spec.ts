import { describe, expect, it } from '@jest/globals';
import { Command } from 'ioredis';
import { ConnectionState } from './connection-state.js';

const QUEUED = Buffer.from('QUEUED');
const OK = Buffer.from('OK');

/** A holder whose commands the test answers itself. */
class Holder {
  readonly state = new ConnectionState({ db: 2, name: 'service', readOnly: false });

  send(line: string): Command {
    const [name = '', ...args] = line.split(' ');
    const command = new Command(name, args);
    command.promise.catch(() => undefined);
    this.state.note(command);
    return command;
  }

  /** All these succeed, one after the other. */
  succeed(...lines: string[]): this {
    for (const line of lines) this.send(line).resolve(OK);
    return this;
  }

  /** A transaction of these, and the reply to its EXEC. */
  transact(lines: string[], reply: unknown): this {
    this.succeed('multi');
    for (const line of lines) this.send(line).resolve(QUEUED);
    this.send('exec').resolve(reply);
    return this;
  }
}

const undoAfter = (...lines: string[]) => new Holder().succeed(...lines).state.undo;

describe('What a holder changed is undone:', () => {
  it.each<[string[], unknown]>([
    [['select 5'], [['select', '2']]],
    [['SELECT 5'], [['select', '2']]],
    [['watch key'], [['unwatch']]],
    [['multi'], [['discard']]],
    [
      ['watch key', 'multi'],
      [['discard'], ['unwatch']],
    ],
    [['client setname mine'], [['client', 'setname', 'service']]],
    [['CLIENT TRACKING on'], [['client', 'tracking', 'off']]],
    [['client no-evict on'], [['client', 'no-evict', 'off']]],
    [['client no-touch on'], [['client', 'no-touch', 'off']]],
    [['readonly'], [['readwrite']]],
    [['subscribe a b', 'unsubscribe a'], [['unsubscribe', 'b']]],
    [
      ['psubscribe a*', 'subscribe a'],
      [
        ['punsubscribe', 'a*'],
        ['unsubscribe', 'a'],
      ],
    ],
    [['ssubscribe a'], [['sunsubscribe', 'a']]],
  ])('%j', (lines, undo) => {
    const { state } = new Holder().succeed(...lines);
    expect(state.undo).toEqual(undo);
    expect(state.isOriginal).toBe(false);
    expect(state.isUnknown).toBe(false);
  });

  it('and then there is nothing to undo', () => {
    const holder = new Holder().succeed(
      'select 5',
      'watch key',
      'subscribe a',
      'client setname mine',
      'multi',
    );
    holder.succeed(...holder.state.undo.map((line) => line.join(' ')));
    expect(holder.state.isOriginal).toBe(true);
  });

  it('and a reply that comes after ioredis has given up on it counts', () => {
    const holder = new Holder();
    const command = holder.send('select 5');
    command.reject(new Error('Command timed out'));
    command.resolve(OK);
    expect(holder.state.undo).toEqual([['select', '2']]);
  });
});

describe('There is nothing to undo after', () => {
  it.each([
    ['get key', 'blpop list 0', 'client id'],
    ['select 5', 'select 2'],
    ['watch key', 'unwatch'],
    ['watch key', 'multi', 'discard'],
    ['client setname mine', 'client setname service'],
    ['client tracking on', 'client caching yes', 'client tracking off'],
    ['subscribe a b', 'psubscribe a*', 'unsubscribe', 'punsubscribe a*'],
  ])('%s, %s, …', (...lines) => {
    expect(undoAfter(...lines)).toEqual([]);
  });

  it('a command that is not answered yet, or fails', () => {
    const holder = new Holder();
    const command = holder.send('select 5');
    expect(holder.state.isOriginal).toBe(true);
    command.reject(new Error('ERR DB index is out of range'));
    expect(holder.state.isOriginal).toBe(true);
  });
});

describe('A transaction', () => {
  it('changes what the reply to its EXEC says', () => {
    const commands = ['get key', 'select 5', 'client setname mine'];
    const holder = new Holder().transact(commands, [null, OK, new Error('ERR')]);
    expect(holder.state.undo).toEqual([['select', '2']]);
  });

  it('changes nothing before', () => {
    const holder = new Holder().succeed('multi');
    holder.send('select 5').resolve(QUEUED);
    expect(holder.state.undo).toEqual([['discard']]);
  });

  it('changes nothing when it was not executed, and ends the watching', () => {
    expect(new Holder().succeed('watch key').transact(['select 5'], null).state.isOriginal).toBe(true);
    const aborted = new Holder().succeed('watch key', 'multi');
    aborted.send('select 5').resolve(QUEUED);
    aborted.send('exec').reject(new Error('EXECABORT Transaction discarded because of previous errors.'));
    expect(aborted.state.isOriginal).toBe(true);
  });

  it('is noted of each command inside it, though they are sent one by one', () => {
    const holder = new Holder();
    const sent = ['get key', 'multi', 'get key', 'select 5', 'exec', 'get key'].map((line) =>
      holder.send(line),
    );
    expect(sent.map(({ inTransaction }) => inTransaction)).toEqual([false, true, true, true, false, false]);
  });

  it('that was never begun does not end the watching', () => {
    const holder = new Holder().succeed('watch key');
    holder.send('exec').reject(new Error('ERR EXEC without MULTI'));
    expect(holder.state.undo).toEqual([['unwatch']]);
  });

  it('that could not be begun queues nothing', () => {
    const holder = new Holder();
    holder.send('multi').reject(new Error('NOPERM'));
    holder.send('select 5').resolve(OK);
    expect(holder.state.undo).toEqual([['select', '2']]);
  });

  it.each<[string, (holder: Holder) => unknown]>([
    ['whose replies do not fit', (holder) => holder.transact(['select 5'], [OK, OK])],
    [
      'that can be ended by nobody',
      (holder) => holder.succeed('multi').send('exec').reject(new Error('NOPERM')),
    ],
    ['that logs in', (holder) => holder.transact(['auth secret'], [OK])],
  ])('%s leaves nobody knows what', (_what, run) => {
    const holder = new Holder();
    run(holder);
    expect(holder.state.isUnknown).toBe(true);
  });
});

describe('Nobody knows how to undo', () => {
  it.each([
    'auth secret',
    'hello 3',
    'reset',
    'monitor',
    'asking',
    'client setinfo lib-name mine',
    'script debug yes',
  ])('%s, if it succeeds', (line) => {
    const holder = new Holder();
    const command = holder.send(line);
    expect(holder.state.isUnknown).toBe(false);
    command.resolve(OK);
    expect(holder.state.isUnknown).toBe(true);
  });

  it.each(['client reply off', 'CLIENT REPLY SKIP', 'sync', 'psync ? -1'])(
    '%s, which is not answered',
    (line) => {
      const holder = new Holder();
      holder.send(line);
      expect(holder.state.isUnknown).toBe(true);
    },
  );
});
