import { SublaceError } from '@sublace/errors';

/** Which Redis, and which part of it. */
export interface RedisTarget {
  /** redis:// or rediss:// URL with user, password and database; without the namespace. */
  url: string;
  /** Prefix of every key; coordinators in different namespaces do not see each other. */
  namespace: string;
  /** HOST:PORT/DATABASE, for messages: no password. */
  name: string;
}

const NAMESPACE = /^[\w.-]{1,64}$/;

/**
 * Reads the address of a store: `redis[s]://[[user]:password@]host[:port][/database][?namespace=name]`.
 *
 * @param url  The address. Port 6379, database 0 and namespace `default` where it says nothing.
 * @param password  Password to use where the address has none, so that it need not stand on a command line.
 * @returns  Its parts.
 * @throws SublaceError INVALID_ARGUMENT when it is none.
 */
export function parseRedisUrl(url: string, password?: string): RedisTarget {
  const expected = 'expected redis[s]://[user:password@]host[:port][/database][?namespace=name]';
  if (!URL.canParse(url)) throw new SublaceError('INVALID_ARGUMENT', `store: ${expected}, got an address that is no URL`);
  const parsed = new URL(url);
  const { protocol, hostname, searchParams } = parsed;
  const port = parsed.port || '6379';
  const database = parsed.pathname.replace(/^\//, '') || '0';
  const refuse = (got: string): SublaceError => new SublaceError('INVALID_ARGUMENT', `store: ${expected}, got ${got}`);
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw refuse(`protocol '${protocol}'`);
  if (hostname === '') throw refuse('no host');
  if (!/^\d+$/.test(database)) throw refuse(`database '${database}'`);
  const unknown = [...searchParams.keys()].find((key) => key !== 'namespace');
  if (unknown !== undefined) throw refuse(`parameter '${unknown}'`);
  const namespace = searchParams.get('namespace') ?? 'default';
  if (!NAMESPACE.test(namespace)) throw refuse(`namespace '${namespace}'; it may have 1 to 64 letters, digits, '.', '_' and '-'`);

  parsed.search = '';
  parsed.port = port;
  parsed.pathname = `/${database}`;
  if (parsed.password === '' && password !== undefined && password !== '') parsed.password = encodeURIComponent(password);
  return { url: parsed.href, namespace, name: `${hostname}:${port}/${database}` };
}
