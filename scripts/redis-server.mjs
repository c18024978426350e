import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRedisServer } from './find-redis-server.mjs';

export { findRedisServer };

const HOST = '127.0.0.1';
const HIGHEST_PORT = 55_535; // a cluster node also listens at its port + 10,000
const PORT_ATTEMPTS = 5;
const READY_POLL_MS = 10;
const READY_ATTEMPTS = 3_000;
const KEPT_LOG_LINES = 10;

/**
 * The server's parent. It kills the server when its own standard input ends, which the kernel sees to however the
 * process at the other end of the pipe dies; and it ends when the server does. The first line it prints is the
 * server's pid, which `exec` keeps.
 */
const GUARD = `
directory=$1; shift
exec 3<&0
sh -c 'echo $$; exec "$@"' sh "$@" 3<&- </dev/null 2>&1 &
server=$!
{ read -r _ <&3; kill -KILL "$server"; } >/dev/null &
watcher=$!
wait "$server"
kill "$watcher"
rm -rf "$directory"
`;

export async function startRedisServer({ port, password, args = [], config = [] } = {}) {
  const binary = await findRedisServer();
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(binary, { port: port ?? (await freePort()), password, args, config });
    } catch (error) {
      const takenMeanwhile = port === undefined && error.message.includes('Address already in use');
      if (!takenMeanwhile || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function launch(binary, { port, password, args, config }) {
  const directory = await mkdtemp(join(tmpdir(), 'redis-server-'));
  const file = join(directory, 'redis.conf');
  const door = join(directory, 'redis.sock');
  await writeFile(file, configuration({ port, password, directory, door, config }), { mode: 0o600 });

  const guard = spawn('sh', ['-c', GUARD, 'redis-guard', directory, binary, file, ...args], {
    detached: true, // Ctrl-C in the terminal is for the application, which still needs the server while it drains
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const handles = [guard, guard.stdin, guard.stdout];
  const status = watch(guard);
  const stop = () => {
    for (const handle of handles) handle.ref();
    guard.stdin.end();
    return status.exited;
  };

  if (!(await becomesReady(status, door))) {
    await stop();
    throw new Error(`${binary} did not start at port ${port}:\n${status.log.join('\n')}`);
  }
  for (const handle of handles) handle.unref();
  return {
    host: HOST,
    port,
    url: `redis://${password ? `:${encodeURIComponent(password)}@` : ''}${HOST}:${port}`,
    pid: status.pid,
    exited: status.exited,
    stop,
    kill: (signal) => status.running && send(signal, status.pid),
  };
}

/** A file rather than arguments: it hides the password from `ps`, and Sentinel needs one it can write to. */
function configuration({ port, password, directory, door, config }) {
  const lines = [
    `bind ${HOST}`,
    `port ${port}`,
    `unixsocket ${JSON.stringify(door)}`,
    `dir ${JSON.stringify(directory)}`,
    'save ""',
    'appendonly no',
  ];
  if (password) lines.push(`requirepass ${JSON.stringify(password)}`);
  lines.push(...config);
  return `${lines.join('\n')}\n`;
}

function watch(guard) {
  const status = { running: true, pid: 0, log: [] };
  createInterface({ input: guard.stdout }).on('line', (line) => {
    if (status.pid === 0) status.pid = Number(line);
    else if (status.log.push(line) > KEPT_LOG_LINES) status.log.shift();
  });
  guard.once('error', (error) => status.log.push(error.message));
  status.exited = new Promise((resolve) => {
    guard.once('close', () => {
      status.running = false;
      resolve();
    });
  });
  return status;
}

async function becomesReady(status, door) {
  for (let attempt = 0; status.running && attempt < READY_ATTEMPTS; attempt++) {
    if (status.pid !== 0 && (await answersPing(door))) return true;
    await sleep(READY_POLL_MS);
  }
  return false;
}

/**
 * Knocks at the server's Unix socket: at its port another server may answer while this one finds the port taken, or
 * TLS may be spoken. Asking for a password is an answer, too.
 */
function answersPing(door) {
  return new Promise((resolve) => {
    const socket = connect(door, () => socket.write('PING\r\n'));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (reply) => {
      resolve(/^(\+PONG|-NOAUTH|-NOPERM)/.test(reply.toString()));
      socket.destroy();
    });
    socket.once('error', () => socket.destroy());
    socket.once('close', () => resolve(false));
  });
}

function send(signal, pid) {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error.code === 'ESRCH') return false; // gone, and the guard is about to tell
    throw error;
  }
}

async function freePort() {
  const probe = createServer().listen(0, HOST);
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port <= HIGHEST_PORT ? port : freePort();
}
