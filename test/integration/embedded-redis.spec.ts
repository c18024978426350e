import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { startRedisServer } from '../../scripts/redis-server.mjs';
import { useRedisServer } from '../support/redis-server.js';

const MODULE = new URL('../../scripts/redis-server.mjs', import.meta.url).href;

describe('the embedded Redis server', () => {
  const redis = useRedisServer();

  it('answers PING at a free port of this machine', async () => {
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
    expect(await ask(redis.port, 'PING')).toBe('+PONG');
  });

  it('tells its own pid, so that a test can freeze or kill it', async () => {
    expect(await ask(redis.port, 'INFO server')).toContain(`process_id:${redis.pid}\r\n`);
  });

  it('keeps no data', async () => {
    expect(await ask(redis.port, 'CONFIG GET save')).toMatch(/\$0$/);
    expect(await ask(redis.port, 'CONFIG GET appendonly')).toMatch(/no$/);
  });

  it('listens at a port of its own when there are several', async () => {
    const others = await Promise.all([startRedisServer(), startRedisServer()]);

    expect(new Set([redis, ...others].map(({ port }) => port)).size).toBe(3);

    await Promise.all(others.map(({ stop }) => stop()));
  });

  it('leaves no process and no file behind when it is stopped, however often', async () => {
    const { port, pid, stop, kill } = await startRedisServer();
    const directory = await directoryOf(port);

    await Promise.all([stop(), stop()]);
    await stop();

    expect(isRunning(pid)).toBe(false);
    expect(await exists(directory)).toBe(false);
    expect(kill('SIGKILL')).toBe(false);
  });

  it('stops even when it is frozen', async () => {
    const { pid, stop, kill } = await startRedisServer();

    expect(kill('SIGSTOP')).toBe(true);
    await stop();

    expect(isRunning(pid)).toBe(false);
  });

  it('tells when it dies by itself, and leaves no file behind', async () => {
    const { port, exited, kill } = await startRedisServer();
    const directory = await directoryOf(port);

    kill('SIGKILL');
    await exited;

    expect(await exists(directory)).toBe(false);
  });

  it('asks for its password, which its url has', async () => {
    const password = 'p@ss "word" \\ 1';
    const { port, url, stop } = await startRedisServer({ password });

    expect(await ask(port, 'PING')).toMatch(/^-NOAUTH/);
    expect(await ask(port, `AUTH ${JSON.stringify(password)}`)).toBe('+OK');
    expect(decodeURIComponent(new URL(url).password)).toBe(password);

    await stop();
  });

  it('comes back at the port it had', async () => {
    const { port, stop } = await startRedisServer();
    await stop();

    const again = await startRedisServer({ port });

    expect(await ask(port, 'PING')).toBe('+PONG');
    await again.stop();
  });

  it('takes further arguments, which win over its own', async () => {
    const { port, stop } = await startRedisServer({
      args: ['--appendonly', 'yes', '--cluster-enabled', 'yes'],
    });

    expect(await ask(port, 'CONFIG GET appendonly')).toMatch(/yes$/);
    expect(await ask(port, 'CLUSTER INFO')).toContain('cluster_state:');

    await stop();
  });

  it('says in its own words why it does not start', async () => {
    await expect(startRedisServer({ port: redis.port })).rejects.toThrow('Address already in use');
    await expect(startRedisServer({ args: ['--no-such-option', '1'] })).rejects.toThrow('no-such-option');
  });
});

describe('the embedded Redis server of another process', () => {
  it.each([
    ['is killed by SIGKILL', `process.kill(process.pid, 'SIGKILL')`],
    ['is ended by SIGTERM', `process.kill(process.pid, 'SIGTERM')`],
    ['leaves by process.exit()', `process.exit(1)`],
    ['fails', `throw new Error('on purpose')`],
    ['ends without stopping it', ``],
  ])('is gone, and so are its files, when that process %s', async (_, ending) => {
    const { pid, port, end } = await startElsewhere(ending);
    const directory = await directoryOf(port);

    expect(isRunning(pid)).toBe(true);
    await end();

    await until(async () => !isRunning(pid) && !(await exists(directory)));
  });

  it('can be stopped as the last thing that process does', async () => {
    const { pid, end } = await startElsewhere('await server.stop()');

    expect(await end()).toBe(0);
    expect(isRunning(pid)).toBe(false);
  });

  it("does not hear the terminal's Ctrl-C, so that process can still drain", async () => {
    const { port, interrupt, end } = await startElsewhere('');

    await interrupt();

    const longerThanItTakesToShutDown = 'BLPOP nothing 0.3';
    expect(await ask(port, longerThanItTakesToShutDown)).toBe('*-1');
    await end();
  });
});

/** Starts a server in a Node process of its own, which does `ending` when it is told to end. */
async function startElsewhere(ending: string) {
  const script = `
    import { startRedisServer } from '${MODULE}';
    const server = await startRedisServer();
    process.on('SIGINT', () => console.log('interrupted'));
    console.log(server.pid + ' ' + server.port);
    await new Promise((resolve) => process.stdin.resume().once('end', resolve));
    ${ending}`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => String((await lines.next()).value);
  const [pid, port] = (await nextLine()).split(' ').map(Number) as [number, number];
  return {
    pid,
    port,
    interrupt: async () => {
      process.kill(-parent.pid!, 'SIGINT'); // the whole group, as a terminal does
      expect(await nextLine()).toBe('interrupted');
    },
    end: async () => {
      parent.stdin.end();
      const [exitCode] = (await once(parent, 'close')) as [number | null];
      return exitCode;
    },
  };
}

/** The server's answer to `command`, or nothing if it hangs up. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
  for await (const reply of socket) return String(reply).trimEnd();
  return '';
}

async function directoryOf(port: number): Promise<string> {
  const reply = await ask(port, 'CONFIG GET dir');
  return reply.split('\r\n').at(-1)!;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await condition()) return;
    await sleep(20);
  }
  throw new Error('It did not come true');
}
