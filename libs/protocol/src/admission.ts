import { createHash, timingSafeEqual } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { SublaceError } from '@sublace/errors';
import { checkRequest } from './request-limits.ts';
import { PROTOCOL_VERSION, PROTOCOL_VERSION_KEY } from './version.ts';

/** Lets a call pass or throws, before its handler sees it. */
export type Admission = (call: { readonly metadata: Metadata; readonly request: unknown }) => void;

/**
 * What every call to a server goes through: token, version of the protocol, limits of its values.
 *
 * @param token  Token that every call must bring; any caller may call without one.
 * @returns  Throws SublaceErrors: UNAUTHENTICATED without the token, INVALID_ARGUMENT for another version or a value out of its limits.
 */
export function admission(token: string | undefined): Admission {
  const expected = token ? digestOf(`Bearer ${token}`) : undefined;
  return ({ metadata, request }) => {
    if (expected) checkToken(metadata, expected);
    checkVersion(metadata);
    checkRequest(request);
  };
}

/** A digest, so that comparing takes the same time whatever was sent, its length included. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function checkToken(metadata: Metadata, expected: Buffer): void {
  const got = metadata.get('authorization')[0]?.toString() ?? '';
  if (timingSafeEqual(digestOf(got), expected)) return;
  const what = got === '' ? 'none' : 'another one';
  throw new SublaceError('UNAUTHENTICATED', `call: expected the token of this cluster, got ${what}; set SUBLACE_TOKEN`);
}

/** Tools that are not ours say no version and are taken at their word. */
function checkVersion(metadata: Metadata): void {
  const got = metadata.get(PROTOCOL_VERSION_KEY)[0]?.toString();
  if (got === undefined || got === String(PROTOCOL_VERSION)) return;
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `call: expected protocol version ${PROTOCOL_VERSION}, got ${got.slice(0, 20)}; run the same version of sublace in the whole cluster`,
  );
}
