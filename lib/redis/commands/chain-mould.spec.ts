import { describe, expect, it } from '@jest/globals';
import { Cluster, Redis, type Command, type Pipeline } from 'ioredis';
import { emptyPipeline } from './chain-mould.js';
import type { RedisConnection } from '../redis-connection.js';

const SCRIPT = { lua: 'return 1', numberOfKeys: 0 };

/** They never connect. */
const clients: [string, () => RedisConnection][] = [
  ['a client', () => new Redis({ lazyConnect: true, scripts: { one: SCRIPT } })],
  ['a cluster', () => new Cluster([{ port: 1 }], { lazyConnect: true, scripts: { one: SCRIPT } })],
];

const isMadeByIoredis = (chain: Pipeline) => Object.hasOwn(chain, 'length');
const commandsOf = (chain: Pipeline) => (chain as unknown as { _queue: Command[] })._queue;
const namesOf = (chain: Pipeline) => commandsOf(chain).map(({ name }) => name);

describe.each(clients)('An empty pipeline of %s', (_what, makerOf) => {
  it('is a pipeline of ioredis in all but the cost', () => {
    const maker = makerOf();
    const made = maker.pipeline() as Pipeline;
    const cast = emptyPipeline(maker);
    expect(cast).toBeInstanceOf(made.constructor);
    expect(Reflect.ownKeys(made).filter((name) => !(name in cast))).toEqual([]);
    expect(cast).toMatchObject({ redis: maker, isPipeline: true, isCluster: made.isCluster, length: 0 });
    expect([isMadeByIoredis(made), isMadeByIoredis(cast)]).toEqual([true, false]);
  });

  it('collects its own commands and no other', () => {
    const maker = makerOf();
    const [one, other] = [emptyPipeline(maker), emptyPipeline(maker)];
    one.addBatch([['get', 'a']]);
    other.addBatch([['set', 'a', 1], ['one'], ['dbsize']]);
    one.addBatch([['multi']]);
    expect([one.length, other.length]).toEqual([2, 3]);
    expect([namesOf(one), namesOf(other)]).toEqual([
      ['get', 'multi'],
      ['set', 'evalsha', 'dbsize'],
    ]);
    expect(emptyPipeline(maker).length).toBe(0);
  });

  it('settles by itself', async () => {
    const maker = makerOf();
    const [one, other] = [emptyPipeline(maker), emptyPipeline(maker)];
    one.reject(new Error('only this one'));
    other.resolve('fine');
    await expect(one.promise).rejects.toThrow('only this one');
    await expect(other.promise).resolves.toBe('fine');
  });

  it('knows the scripts and commands that the client was given since', () => {
    const maker = makerOf();
    expect(emptyPipeline(maker)).not.toHaveProperty('later');
    maker.defineCommand('later', SCRIPT);
    maker.addBuiltinCommand('mod.new');
    const chain = emptyPipeline(maker).addBatch([['later'], ['laterBuffer'], ['mod.new'], ['mod.newBuffer']]);
    expect(namesOf(chain)).toEqual(['evalsha', 'evalsha', 'mod.new', 'mod.new']);
    expect(isMadeByIoredis(chain)).toBe(false);
  });

  it('knows a script as it was last defined', () => {
    const maker = makerOf();
    const shaOf = () => commandsOf(emptyPipeline(maker).addBatch([['one']]))[0]!.args[0];
    const before = shaOf();
    maker.defineCommand('one', { lua: 'return 2', numberOfKeys: 0 });
    expect(shaOf()).not.toBe(before);
  });

  it('keeps the scripts that it was given itself', () => {
    const maker = makerOf();
    const chain = emptyPipeline(maker);
    chain.defineCommand('mine', SCRIPT);
    expect(namesOf(chain.addBatch([['mine']]))).toEqual(['evalsha']);
    expect(emptyPipeline(maker)).not.toHaveProperty('mine');
    expect(emptyPipeline(maker).scriptsSet).toEqual({});
  });
});

describe('A pipeline is left to ioredis', () => {
  /** `undefined` takes a property away. */
  const unknown: [string, object][] = [
    ['has more inside', { _more: true }],
    ['has a symbol inside', { [Symbol('more')]: true }],
    ['has less inside', { isCluster: undefined }],
    ['has something by another name', { isCluster: undefined, _isCluster: false }],
    ['begins with something else', { _queue: new Map() }],
    ['is awaited in another way', { promise: {} }],
  ];

  it.each(unknown)('when one of its version %s', (_what, changes) => {
    const maker = new Redis({ lazyConnect: true });
    const make = maker.pipeline.bind(maker);
    maker.pipeline = () => changed(make(), changes);
    const [one, other] = [emptyPipeline(maker), emptyPipeline(maker)];
    expect([isMadeByIoredis(one), isMadeByIoredis(other)]).toEqual([true, true]);
    expect(one).not.toBe(other);
  });
});

function changed<T extends object>(made: T, changes: object): T {
  Object.assign(made, changes);
  for (const [name, value] of Object.entries(changes))
    if (value === undefined) Reflect.deleteProperty(made, name);
  return made;
}
