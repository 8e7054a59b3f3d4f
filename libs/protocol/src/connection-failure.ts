import { once } from 'node:events';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type ConnectionOptions } from 'node:tls';
import type { Client } from '@grpc/grpc-js';
import { SublaceError } from '@sublace/errors';
import type { Security } from './security.ts';
import { fromStatus } from './status.ts';

/** Time for the handshake that finds out why there is no connection. */
const PROBE_TIMEOUT_MS = 2000;

/** A server that refuses our certificate says so only after the handshake, at once; a server that takes it greets. */
const GREETING_MS = 300;

/** Nobody is there; a handshake would tell nothing more. */
const UNREACHABLE = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|Name resolution failed/;

/**
 * What a failed call means. Where no connection came about, one handshake by hand finds out whether certificates are to blame: gRPC does not say.
 *
 * @param client  The client that called.
 * @param security  What it connects with.
 * @param thrown  What it threw.
 * @returns  A SublaceError: UNAUTHENTICATED when certificates do not fit, which no waiting mends.
 */
export async function failureOf(client: Client, security: Security, thrown: unknown): Promise<SublaceError> {
  const error = fromStatus(thrown);
  if (error.code !== 'UNAVAILABLE' || !error.message.startsWith('No connection established')) return error;
  const target = client.getChannel().getTarget();
  const address = /([^/]+:\d+)$/.exec(target)?.[1].replace(/^(?:dns|ipv4|ipv6):/, '');
  const reason = UNREACHABLE.test(error.message) || address === undefined ? undefined : await reasonFor(address, security);
  if (reason !== undefined) return new SublaceError('UNAUTHENTICATED', `${address}: ${reason}`, { cause: thrown });
  const last = /Last error: (?:Error: )?(.*?)\.? Resolution note/s.exec(error.message)?.[1].trim() ?? error.message;
  return new SublaceError('UNAVAILABLE', `${address ?? target}: expected an answer, got no connection (${last})`, { cause: thrown });
}

/** Why certificates keep a connection from coming about; undefined when they do not, or when that cannot be told. */
async function reasonFor(address: string, security: Security): Promise<string | undefined> {
  const reason = await probe(address, security);
  if (reason !== CLOSED) return reason;
  // A server that ends closes connections too, but not twice.
  return (await probe(address, security)) === CLOSED ? refused('', security.tls?.cert !== undefined) : undefined;
}

/** Closed after a whole handshake, without a word. */
const CLOSED = Symbol('closed');

async function probe(address: string, { tls }: Security): Promise<string | typeof CLOSED | undefined> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const name = tls?.serverName ?? host;
  const options: ConnectionOptions = {
    host,
    port: Number(address.slice(colon + 1)),
    ALPNProtocols: ['h2'],
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    ...(isIP(name) === 0 && { servername: name }),
    ...(tls ? { ca: tls.ca, cert: tls.cert, key: tls.key } : { rejectUnauthorized: false }),
  };
  const socket = connect(options);
  const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  try {
    await once(socket, 'secureConnect', { signal });
    if (!tls) return 'expected plaintext, got TLS; set --tls-ca to the authority of the cluster';
    await Promise.race([
      once(socket, 'data', { signal }),
      once(socket, 'close', { signal }),
      once(AbortSignal.timeout(GREETING_MS), 'abort'),
    ]);
    return socket.destroyed ? CLOSED : undefined;
  } catch (error) {
    const { code = '', message, cert } = error as NodeJS.ErrnoException & { cert?: { subjectaltname?: string } };
    if (socket.authorized && /ECONNRESET|EPIPE/.test(code)) return CLOSED;
    return tls && reasonOf(code, message, { name, found: cert?.subjectaltname, hasOwn: tls.cert !== undefined });
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

/** One line for each way in which a handshake fails; undefined for what has nothing to do with certificates. */
function reasonOf(
  code: string,
  message: string,
  { name, found, hasOwn }: { name: string; found: string | undefined; hasOwn: boolean },
): string | undefined {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|HTTP_REQUEST|RECORD_TOO_SMALL/.test(code))
    return 'expected TLS, got plaintext; give the process there --tls-cert and --tls-key, or leave --tls-ca out here';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `expected a certificate that is valid now, got one that ${code === 'CERT_HAS_EXPIRED' ? 'has expired; renew it' : 'is not valid yet; check both clocks'}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `expected a certificate for ${name}, got one for ${found ?? 'no name'}; add the name to it, or say which to expect with --tls-server-name`;
  if (/SELF_SIGNED|UNABLE_TO|CERT_UNTRUSTED|CERT_SIGNATURE|INVALID_CA|CERT_CHAIN/.test(code))
    return `expected a certificate of an authority in --tls-ca, got one of another (${message}); give both processes the same authority`;
  return code.includes('ALERT') ? refused(code, hasOwn) : undefined;
}

function refused(code: string, hasOwn: boolean): string {
  if (!hasOwn) return 'expected to be let in, got a call for a client certificate; set --tls-cert and --tls-key';
  return `expected to be let in with this certificate, got refused${code && ` (${code})`}; use one of the authority in --tls-ca of the process there`;
}
