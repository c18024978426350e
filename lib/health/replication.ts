/** What a server says of its part in replication. */
export interface Replication {
  readonly role: 'primary' | 'replica' | 'unknown';
  /** Of a replica, to its primary. */
  readonly link?: 'up' | 'down';
  /** For how long a replica has heard nothing of its primary, as far as it knows. */
  readonly lagMs?: number;
}

/** Reads the answer to INFO replication, whole seconds as they are. */
export function readReplication(info: string): Replication {
  const fields = new Map(
    [...info.matchAll(/^([^#:\r\n]+):([^\r\n]*)/gm)].map(([, key, value]) => [key, value]),
  );
  const role = fields.get('role');
  if (role === 'master') return { role: 'primary' };
  if (role !== 'slave') return { role: 'unknown' };
  const link = fields.get('master_link_status') === 'up' ? 'up' : 'down';
  const silentFor = Number(
    fields.get(link === 'up' ? 'master_last_io_seconds_ago' : 'master_link_down_since_seconds'),
  );
  // The server says -1 where there was no link yet.
  return { role: 'replica', link, ...(silentFor >= 0 && { lagMs: silentFor * 1_000 }) };
}
