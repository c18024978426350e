/** What stays the same about a pool and can be told to anybody: it holds no secret. Metrics carry it as attributes. */
export interface PoolDescription {
  readonly kind: 'redis' | 'compression' | 'custom';
  /** The one server that it talks to, where there is one and its address is known. */
  readonly server?: { readonly address: string; readonly port?: number };
  /** How many of its resources carry the work of all callers, and are lent to nobody. */
  readonly shared?: number;
  /** What a compression pool compresses with. */
  readonly algorithm?: string;
}
