import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from './eventually.js';
import { EchoClient, EchoServer } from './fault-proxy.echo.js';
import { useFaultProxy } from './fault-proxy.js';

jest.setTimeout(40_000); // eventually() gives up before, and says on what

let echo: EchoServer;
const clients: EchoClient[] = [];

beforeEach(async () => {
  echo = new EchoServer();
  await echo.start();
});

const proxy = useFaultProxy({
  get port() {
    return echo.port;
  },
});

afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  echo.stop();
});

function client(): EchoClient {
  const one = new EchoClient(proxy.port);
  clients.push(one);
  return one;
}

/** A client that has been answered. */
async function connected(): Promise<EchoClient> {
  const one = client();
  await one.says('hello', 'hello');
  return one;
}

/** Time for what must not happen. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

describe('A FaultProxy', () => {
  it('passes everything on, both ways, and a goodbye as well', async () => {
    const one = await connected();
    await one.says(', world', 'hello, world');
    expect(proxy.connections).toHaveLength(1);
    one.socket.end();
    await eventually('all is closed', () => one.outcome === 'ended' && proxy.connections.length === 0);
  });

  it('passes on that the server hangs up', async () => {
    const one = await connected();
    echo.sockets[0]!.resetAndDestroy();
    await eventually('all is closed', () => one.outcome === 'reset' && proxy.connections.length === 0);
  });

  it('passes on that the client hangs up', async () => {
    const one = await connected();
    one.socket.resetAndDestroy();
    await eventually('all is closed', () => echo.sockets[0]!.destroyed && proxy.connections.length === 0);
  });

  it('resets the client when nobody listens behind it', async () => {
    const one = await connected();
    echo.stop();
    await eventually('it hears of the end', () => one.outcome === 'ended');
    const another = client();
    await eventually('it is reset', () => another.outcome === 'reset');
  });
});

describe('delay()', () => {
  it('makes bytes late and keeps them in order, on connections to come as well', async () => {
    proxy.delay(40, 'toServer');
    proxy.delay(40, 'toClient');
    const one = client();
    const startedAt = performance.now();
    one.socket.write('a');
    await once(one.socket, 'connect');
    await one.says('b', 'ab');
    expect(performance.now() - startedAt).toBeGreaterThan(78);
    await proxy.heal();
    await one.says('c', 'abc');
  });

  it('can be told for one connection', async () => {
    const [slow, quick] = [await connected(), await connected()];
    proxy.connections[0]!.delay(10_000);
    slow.socket.write('!');
    await quick.says('!', 'hello!');
    await aWhile();
    expect(slow.heard).toBe('hello');
  });
});

describe('stall()', () => {
  it.each([
    ['toServer', 'hello'],
    ['toClient', 'hello!'],
  ] as const)('holds bytes and the goodbye %s until resume()', async (direction, heardByServer) => {
    const one = await connected();
    proxy.stall(direction);
    one.socket.end('!');
    await aWhile();
    expect(echo.heard.join('')).toBe(heardByServer);
    expect(one).toMatchObject({ heard: 'hello', outcome: 'open' });
    expect(proxy.connections).toHaveLength(1);
    proxy.resume(direction);
    await eventually('all has come', () => one.heard === 'hello!' && one.outcome === 'ended');
  });

  it('concerns connections to come', async () => {
    proxy.stall();
    const one = client();
    one.socket.write('?');
    await aWhile();
    expect(one.heard).toBe('');
    proxy.resume();
    await eventually('it is answered', () => one.heard === '?');
  });
});

describe('The end of a connection:', () => {
  it('cut() says goodbye to both sides', async () => {
    const one = await connected();
    proxy.cut();
    await eventually('both hear it', () => one.outcome === 'ended' && echo.sockets[0]!.readableEnded);
    await eventually('nothing is open', () => proxy.connections.length === 0);
  });

  it('reset() hangs up on both sides', async () => {
    const one = await connected();
    const reset = once(echo.sockets[0]!, 'error');
    proxy.reset();
    await eventually('it is reset', () => one.outcome === 'reset');
    await expect(reset).resolves.toMatchObject([{ code: 'ECONNRESET' }]);
    expect(proxy.connections).toHaveLength(0);
  });

  it('reset() ends a connection that is being cut', async () => {
    const one = await connected();
    proxy.cut();
    proxy.reset();
    await eventually('it hears of the end', () => one.outcome !== 'open');
    expect(proxy.connections).toHaveLength(0);
  });

  it('partialReply() lets so many bytes of the next reply through, and cuts', async () => {
    const one = await connected();
    proxy.partialReply({ bytes: 3 });
    await aWhile();
    expect(one.outcome).toBe('open');
    await one.says('abcdef', 'helloabc');
    await eventually('all is closed', () => one.outcome === 'ended' && proxy.connections.length === 0);
  });

  it('halfOpen() answers nothing and closes nothing, until heal() tells', async () => {
    const one = await connected();
    proxy.halfOpen();
    one.socket.write('?');
    echo.sockets[0]!.end('!');
    await aWhile();
    expect(one).toMatchObject({ heard: 'hello', outcome: 'open' });
    expect(echo.heard).toEqual(['hello']);
    expect(proxy.connections).toHaveLength(1);
    await connected();
    await proxy.heal();
    await eventually('it is reset', () => one.outcome === 'reset' && proxy.connections.length === 1);
  });

  it('heal() takes back what has not come to pass', async () => {
    const one = await connected();
    proxy.partialReply({ bytes: 1 });
    await proxy.heal();
    await one.says('!!!', 'hello!!!');
  });
});

describe('The door:', () => {
  it('refuse() refuses new connections and leaves those that exist; accept() opens the same port', async () => {
    const one = await connected();
    const { port } = proxy;
    proxy.refuse();
    const refused = client();
    await eventually('it is refused', () => refused.outcome === 'refused');
    await one.says('!', 'hello!');
    await proxy.accept();
    expect(proxy.port).toBe(port);
    await connected();
  });

  it('slowAccept() accepts and is silent, and connects through only then', async () => {
    proxy.slowAccept(60);
    const one = client();
    one.socket.write('?');
    await once(one.socket, 'connect');
    await aWhile();
    expect(echo.sockets).toHaveLength(0);
    await eventually('it is answered', () => one.heard === '?');
  });

  it('stop() closes everything at once, what is not connected through as well', async () => {
    proxy.slowAccept(10_000);
    const one = client();
    await eventually('it is accepted', () => proxy.connections.length === 1);
    proxy.stop();
    await eventually('it is reset', () => one.outcome === 'reset');
    const refused = client();
    await eventually('it is refused', () => refused.outcome === 'refused');
  });
});
