import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Command, ReplyError, type Cluster, type Redis } from 'ioredis';
import { ClusterWatch, isRedirected } from './cluster-watch.js';

const MOVED = 'MOVED 866 127.0.0.1:7001';

const aNode = () => ({ sendCommand: jest.fn((command: Command) => command.promise) }) as unknown as Redis;

function send(node: Redis, name: string): Command {
  const command = new Command(name, name.toLowerCase() === 'watch' ? ['key'] : []);
  command.promise.catch(() => undefined);
  void node.sendCommand(command);
  return command;
}

describe('What watches keys in a cluster', () => {
  let handled: jest.Mock;
  let client: Cluster;
  let watch: ClusterWatch;
  let here: Redis;
  let there: Redis;

  beforeEach(() => {
    handled = jest.fn();
    client = { handleError: handled } as unknown as Cluster;
    watch = new ClusterWatch(client, 'cache');
    [here, there] = [aNode(), aNode()];
    watch.observe(here);
    watch.observe(there);
  });

  const route = (name: string, of?: object) => watch.routeOf(new Command(name), of);

  it('sends a transaction to the node that watches, and nothing else', () => {
    expect(route('multi', {})).toEqual({});
    send(here, 'watch');
    expect(route('multi', {})).toEqual({ redis: here });
    expect(route('unwatch')).toMatchObject({ redis: here });
    expect(route('get', {})).toEqual({});
    send(here, 'exec');
    expect(route('multi', {})).toEqual({});
  });

  it('lets a first WATCH be redirected', () => {
    send(here, 'watch').reject(new Error(MOVED));
    send(there, 'watch');
    expect(route('multi', {})).toEqual({ redis: there });
  });

  it.each(['watch', 'WATCH'])('refuses to %s on a second node', async (name) => {
    send(here, name);
    const refused = send(there, name);
    await expect(refused.promise).rejects.toMatchObject({ code: 'ERR_POOL_COMMAND_REFUSED' });
    expect(route('MULTI', {})).toEqual({ redis: here });
  });

  it('redirects no pipeline any more, until the next holder', () => {
    const ofPipeline = { name: 'ReplyError', message: MOVED };
    const handlers = { defaults: jest.fn() };
    send(here, 'watch');
    client.handleError(ofPipeline, {}, handlers);
    expect(handlers.defaults).toHaveBeenCalledTimes(1);
    client.handleError(new Error(MOVED), {}, handlers);
    watch.forget();
    client.handleError(ofPipeline, {}, handlers);
    expect(handled).toHaveBeenCalledTimes(2);
    expect(handlers.defaults).toHaveBeenCalledTimes(1);
  });
});

describe('A transaction was refused for its slot', () => {
  const reply = (message: string, previousErrors?: Error[]) =>
    Object.assign(new (ReplyError as new (text: string) => Error)(message), { previousErrors });

  it.each<[boolean, Error]>([
    [true, reply(MOVED)],
    [true, reply('EXECABORT Transaction discarded', [reply('ASK 866 127.0.0.1:7001')])],
    [false, reply('EXECABORT Transaction discarded', [reply('ERR wrong number of arguments')])],
    [false, new Error(MOVED)],
  ])('%s: %s', (expected, error) => {
    expect(isRedirected(error)).toBe(expected);
  });
});
