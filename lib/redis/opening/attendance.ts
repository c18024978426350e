import { Socket } from 'node:net';
import { ReplyError, type Cluster, type Redis } from 'ioredis';

/** What INFO says of a server; empty where this user may not ask. */
export type ServerInfo = Readonly<Record<string, string | undefined>>;

/** What is to be done while a connection is being opened, also when ioredis does that by itself. */
export interface Attendance {
  /** Before each try; when it fails, the try has failed. The signal aborts when nobody wants the connection any more. */
  readonly prepare?: ((client: Redis, signal: AbortSignal) => Promise<void>) | undefined;
  /** Before the connection is ready. What it throws keeps the connection from being so. */
  readonly inspect: (info: ServerInfo) => void;
}

const runIds = new WeakMap<Redis, string>();

/** Which run of a server a client is connected to, if that is known: after a restart it is another one, at the same address. */
export const runIdOf = (client: Redis): string | undefined => runIds.get(client);

/** The part of a client that finds the server, anew for each try; a connector, as ioredis calls it. */
interface Connector {
  connecting: boolean;
  firstError?: Error;
  connect(tell: (type: string, error: Error) => void): Promise<Redis['stream']>;
  disconnect(): void;
  check(info: ServerInfo): boolean;
}

/** Attends to a client that is not connected yet. A client without a connector, such as a fake, is left as it is. */
export function attend(client: Redis, { prepare, inspect }: Attendance): void {
  const { connector } = client as unknown as { connector?: Connector };
  if (connector === undefined) return;
  if (prepare !== undefined) prepareEachTry(connector, (signal) => prepare(client, signal));
  greetInOneWrite(connector);
  const check = connector.check.bind(connector);
  connector.check = (info) => {
    if (info.run_id !== undefined) runIds.set(client, info.run_id);
    return check(info) && passes(client, () => inspect(info));
  };
  client.on('error', (error) => {
    if (isRefusedSelect(error) && client.status === 'connect') giveUpThisTry(client);
  });
}

/**
 * Does something before each try of a cluster to connect, which fails with it, and something to each connection to a node, when it is
 * made and not connected yet.
 */
export function attendCluster(
  cluster: Cluster,
  { prepare, attendNode }: { prepare: () => Promise<unknown>; attendNode: (node: Redis) => void },
): void {
  const inner = cluster as unknown as { resolveStartupNodeHostnames(): Promise<unknown> };
  const resolve = inner.resolveStartupNodeHostnames.bind(cluster);
  inner.resolveStartupNodeHostnames = async () => {
    await prepare().catch((error: unknown) => {
      cluster.emit('error', error);
      throw error;
    });
    return resolve();
  };
  cluster.on('+node', attendNode);
}

function prepareEachTry(connector: Connector, prepare: (signal: AbortSignal) => Promise<void>): void {
  const connect = connector.connect.bind(connector);
  const disconnect = connector.disconnect.bind(connector);
  let wanted: AbortController | undefined;
  connector.connect = async (tell) => {
    const { signal } = (wanted = new AbortController());
    connector.connecting = true;
    try {
      await prepare(signal);
    } catch (error) {
      if (!signal.aborted) return deadStream(connector, error as Error);
    }
    signal.throwIfAborted();
    return connect(tell);
  };
  connector.disconnect = () => {
    wanted?.abort(new Error('Connection is closed.')); // as ioredis puts it
    disconnect();
  };
}

/** ioredis tries again after that, as it does when there is no server; a rejection would end the client for good. */
function deadStream(connector: Connector, error: Error): Socket {
  connector.firstError = error;
  return new Socket().destroy();
}

/** A server that refuses a client hangs up at once. A second write would fail on that before the reason is read. */
function greetInOneWrite(connector: Connector): void {
  const connect = connector.connect.bind(connector);
  connector.connect = async (tell) => {
    const stream = await connect(tell);
    const gather = () => {
      stream.cork();
      process.nextTick(() => stream.uncork());
    };
    return stream.once('connect', gather).once('secureConnect', gather);
  };
}

function passes(client: Redis, inspection: () => void): boolean {
  try {
    inspection();
    return true;
  } catch (error) {
    client.emit('error', error);
    return false;
  }
}

/** ioredis would go on, in database 0. */
const isRefusedSelect = (error: Error & { command?: { name: string } }): boolean =>
  error instanceof ReplyError && error.command?.name === 'select';

/** So that what ioredis has begun does not make the connection ready after all. */
function giveUpThisTry(client: Redis): void {
  (client as unknown as { connectionEpoch: number }).connectionEpoch += 1;
  client.disconnect(true);
}
