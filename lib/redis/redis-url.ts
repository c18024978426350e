import type { RedisOptions } from 'ioredis';

/** Valkey is spoken to as Redis is. */
const TCP = ['redis:', 'rediss:', 'valkey:', 'valkeys:'];
const TLS = ['rediss:', 'valkeys:'];
const UNIX = ['unix:', 'redis+unix:'];

const NUMBER = /^\d+$/;
const TCP_QUERY: Readonly<Record<string, RegExp>> = { db: NUMBER, family: NUMBER };
const UNIX_QUERY: Readonly<Record<string, RegExp>> = { db: NUMBER, username: /./, password: /./ };

/** What must be different about `url`, or nothing. It never quotes the url, which may hold a password. */
export function redisUrlProblem(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return unreadable(url);
  const { protocol } = new URL(url);
  if (UNIX.includes(protocol)) return unixProblem(new URL(url));
  if (TCP.includes(protocol)) return tcpProblem(new URL(url));
  return 'a URL that begins with redis:// (or valkey://), rediss:// (or valkeys://) for TLS, or unix://';
}

/** What a url without a problem says, in the words of ioredis. */
export function readRedisUrl(url: string): RedisOptions {
  const parsed = new URL(url);
  return UNIX.includes(parsed.protocol) ? readUnixUrl(parsed) : readTcpUrl(parsed);
}

function unreadable(url: unknown): string {
  const meant = UNIX.some((scheme) => String(url).startsWith(scheme))
    ? 'a URL like unix:///path/to/redis.sock?db=0&username=user&password=password'
    : 'a URL like redis://user:password@host:6379/0';
  return `${meant} (special characters of the password percent-encoded)`;
}

function tcpProblem({ hostname, username, password, pathname, searchParams }: URL): string | undefined {
  if (hostname === '') return 'a URL with a host';
  if (!isEncoded(username) || !isEncoded(password))
    return 'a URL whose user and password are percent-encoded';
  if (!/^(\/\d*)?$/.test(pathname)) return 'a URL whose path is the number of a database, such as /0';
  return queryFits(searchParams, TCP_QUERY)
    ? undefined
    : 'a URL whose query has only db and family, both numbers; write other options in connection';
}

function unixProblem({ hostname, pathname, searchParams }: URL): string | undefined {
  if (hostname !== '' || pathname.length < 2)
    return 'a URL with three slashes and the path of a socket: unix:///…';
  if (!isEncoded(pathname)) return 'a URL whose path is percent-encoded';
  return queryFits(searchParams, UNIX_QUERY)
    ? undefined
    : 'a URL whose query has only db (a number), username and password; write other options in connection';
}

const queryFits = (query: URLSearchParams, rules: Readonly<Record<string, RegExp>>): boolean =>
  [...query].every(([key, value]) => Object.hasOwn(rules, key) && rules[key]?.test(value) === true);

function readTcpUrl({
  protocol,
  hostname,
  port,
  username,
  password,
  pathname,
  searchParams,
}: URL): RedisOptions {
  const db = pathname.slice(1) || searchParams.get('db');
  const family = searchParams.get('family');
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    ...(port !== '' && { port: Number(port) }),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(db !== null && { db: Number(db) }),
    ...(family !== null && { family: Number(family) }),
    ...(TLS.includes(protocol) && { tls: {} }),
  };
}

function readUnixUrl({ pathname, searchParams }: URL): RedisOptions {
  const { db, ...who } = Object.fromEntries(searchParams);
  return { path: decodeURIComponent(pathname), ...(db !== undefined && { db: Number(db) }), ...who };
}

function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
