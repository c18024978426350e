import type { RedisOptions } from 'ioredis';

const SCHEMES = ['redis:', 'rediss:'];
const QUERY = ['db', 'family'];

/** What must be different about `url`, or nothing. It never quotes the url, which may hold a password. */
export function redisUrlProblem(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) {
    return 'a URL like redis://user:password@host:6379/0 (special characters of the password percent-encoded)';
  }
  const { protocol, hostname, username, password, pathname, searchParams } = new URL(url);
  if (!SCHEMES.includes(protocol)) return 'a URL that begins with redis:// or, for TLS, rediss://';
  if (hostname === '') return 'a URL with a host';
  if (!isEncoded(username) || !isEncoded(password))
    return 'a URL whose user and password are percent-encoded';
  if (!/^(\/\d*)?$/.test(pathname)) return 'a URL whose path is the number of a database, such as /0';
  const queryFits = [...searchParams].every(([key, value]) => QUERY.includes(key) && /^\d+$/.test(value));
  return queryFits
    ? undefined
    : 'a URL whose query has only db and family, both numbers; write other options in connection';
}

/** What a url without a problem says, in the words of ioredis. */
export function readRedisUrl(url: string): RedisOptions {
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url);
  const db = pathname.slice(1) || searchParams.get('db');
  const family = searchParams.get('family');
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    ...(port !== '' && { port: Number(port) }),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(db !== null && { db: Number(db) }),
    ...(family !== null && { family: Number(family) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
}

function isEncoded(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}
