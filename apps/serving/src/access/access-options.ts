import type { ServeOptions } from '../options/read-options.ts';
import { Certificates } from './certificates.ts';
import type { AccessOptions } from './gate.ts';
import { readTokens, type KnownToken } from './tokens.ts';

/**
 * The tokens that the options name.
 *
 * @param options  Of the process.
 * @returns  All of them, read now.
 * @throws SublaceError INVALID_ARGUMENT for tokens that cannot be used.
 */
export function tokensOf({ inferenceTokenFile, inferenceToken, adminTokenFile, adminToken }: ServeOptions): KnownToken[] {
  return readTokens([
    { role: 'inference', file: inferenceTokenFile, text: inferenceToken },
    { role: 'admin', file: adminTokenFile, text: adminToken },
  ]);
}

/**
 * Who may call, by the options.
 *
 * @param options  Of the process.
 * @returns  Tokens and limits.
 * @throws SublaceError INVALID_ARGUMENT for tokens that cannot be used.
 */
export function accessOf(options: ServeOptions): AccessOptions {
  const { openCalls, rateLimit, rateBurst } = options;
  const limit = rateLimit === undefined ? undefined : { rate: rateLimit, burst: rateBurst ?? Math.max(1, Math.floor(rateLimit)) };
  return { tokens: tokensOf(options), openCalls, rateLimit: limit };
}

/**
 * The certificates that the options name.
 *
 * @param options  Of the process.
 * @returns  Undefined for plaintext.
 * @throws SublaceError USAGE, INVALID_ARGUMENT for certificates that cannot be used.
 */
export function certificatesOf({ tlsCert, tlsKey, tlsCa, tlsClientAuth }: ServeOptions): Certificates | undefined {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined && !tlsClientAuth) return undefined;
  return new Certificates({ cert: tlsCert, key: tlsKey, ca: tlsCa, requireClientCertificate: tlsClientAuth });
}
