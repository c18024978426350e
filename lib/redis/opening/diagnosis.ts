import { wordsOf } from '../../core/words-of.js';

/** What a connection's error shows (its code, or how it begins), what that means, and what to do about it. */
const MEANINGS: readonly (readonly [sign: RegExp, meaning: string])[] = [
  // What the server says.
  [
    /^WRONGPASS |^ERR invalid password/,
    'the server refuses this user or password; check both, and that the user is not switched off (ACL LIST)',
  ],
  [
    /^NOAUTH /,
    'the server asks for a password; give it in url, in connection or by credentials(), with the user where it is not "default"',
  ],
  [
    /^ERR (DB index|invalid DB index|SELECT is not allowed)/,
    'the server has no such database; use a lower number, or a server with more databases (a cluster has only 0)',
  ],
  [
    /^NOPERM .*'select'/i,
    'this user may not choose a database; allow it SELECT, or leave the number of the database out',
  ],
  [
    /^ERR max number of clients/,
    'the server has as many clients as it accepts (maxclients); lower max in this pool or others, or raise maxclients',
  ],
  [
    /^DENIED /,
    'the server is in protected mode: it has no password and talks to its own machine only; give it a password (requirepass)',
  ],
  [/^LOADING /, 'the server is still loading its data; wait, or give the start more time'],
  [/^MASTERDOWN /, 'the server is a replica that has lost its master; connect to the master, or wait'],
  [
    /^BUSY /,
    'the server is busy with a script that does not end; end it with SCRIPT KILL, or FUNCTION KILL for a function',
  ],
  [
    /^ERR unknown command .(HELLO|AUTH|SELECT|INFO)\b/i,
    'the server does not know what every Redis since 6 knows; update it, or leave user and password out and set connection.protocol to 2',
  ],
  [
    /^ERR This instance has cluster support disabled/,
    'the server is not a node of a cluster; leave the option cluster out',
  ],
  [
    /^Unknown RESP type/,
    'what listens there does not speak the protocol of Redis, maybe a web server; check host and port',
  ],

  // What ioredis says of sentinels.
  [
    /^All sentinels are unreachable/,
    'no sentinel tells where the master is; check the addresses in connection.sentinels, connection.name, and sentinelPassword',
  ],

  // What the network says.
  [
    /^ECONNREFUSED/,
    'nobody listens there; check host and port (in a container, localhost is the container), and that the server runs',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)/, 'the name of the host cannot be resolved; check its spelling, and the DNS'],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)/,
    'the host cannot be reached; check its address, and the firewalls between',
  ],
  [/^ENOENT/, 'there is no such socket; check the path, and that the server has a unixsocket'],
  [
    /^(EACCES|EPERM)/,
    'this process may not use that socket; check who owns it, and unixsocketperm of the server',
  ],

  // What TLS says.
  [
    /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO)/,
    'the server does not speak TLS at that port; use redis:// without tls, or the port for TLS',
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_UNTRUSTED)/,
    'nobody whom this process trusts vouches for the certificate of the server; give its authority as connection.tls.ca',
  ],
  [/^CERT_HAS_EXPIRED/, 'the certificate of the server has expired; renew it there'],
  [
    /^CERT_NOT_YET_VALID/,
    'the certificate of the server is not valid yet; check the clocks of both machines',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID/,
    'the certificate of the server is for another name; connect by that one, or give it as connection.tls.servername',
  ],
  [
    /^ERR_SSL_[\w/]*ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_\w+)/,
    'the server wants a certificate of the client that it trusts; give connection.tls.cert and connection.tls.key',
  ],
];

/** Of what the server or the system says; some say a lot. */
const LONGEST_QUOTE = 160;

/**
 * The same trouble in words that tell what is wrong and what to do; the error itself is its `cause`, and its `code` stays. An error
 * that is not in the table is returned as it is.
 */
export function diagnosed(error: Error): Error {
  const { code } = error as NodeJS.ErrnoException;
  const meaning = MEANINGS.find(([sign]) => sign.test(code ?? error.message))?.[1];
  if (meaning === undefined) return error;
  const told = new Error(`${meaning} (${quoted(error)})`, { cause: error });
  return code === undefined ? told : Object.assign(told, { code });
}

/** What OpenSSL says is mostly about its own source files; its reason is enough. */
function quoted(error: NodeJS.ErrnoException & { reason?: string }): string {
  const words = error.code?.startsWith('ERR_SSL_') === true ? (error.reason ?? error.code) : wordsOf(error);
  return words.length > LONGEST_QUOTE ? `${words.slice(0, LONGEST_QUOTE)}…` : words;
}
