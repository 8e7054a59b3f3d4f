import { status as GrpcStatus } from '@grpc/grpc-js';
import { isIPv6 } from 'node:net';
import type { CallKind } from './call-kind.ts';
import { RateLimiter, type RateLimit } from './rate-limiter.ts';
import { findToken, type KnownToken } from './tokens.ts';

/** Calls that need no token although there are some: none at all, those of probes, or also those that say what is served. */
export type OpenCalls = 'none' | 'health' | 'metadata';

/** Who may do what, and how often. */
export interface AccessOptions {
  /** Known tokens; with none, everybody may do everything. */
  readonly tokens: readonly KnownToken[];
  readonly openCalls: OpenCalls;
  /** For each token, and for each address where there is none. Absent: no limit. */
  readonly rateLimit?: RateLimit | undefined;
}

/** Why a call is not let in. */
export type RefusalReason = 'unauthenticated' | 'forbidden' | 'rate_limited';

/** A call that is not let in, in the words of both protocols. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'RESOURCE_EXHAUSTED';
  readonly http: 401 | 403 | 429;
  readonly grpc: GrpcStatus;
  readonly message: string;
  /** When to try again, seconds, at least 1; absent where that is of no use. */
  readonly retryAfter?: number;
}

/** What came of a call at the gate. */
export interface Admission {
  /** Of a token that is known; null where there is none. */
  readonly tokenName: string | null;
  /** Absent for a call that is let in. */
  readonly refusal?: Refusal;
}

const unauthenticated = (got: string): Refusal => ({
  reason: 'unauthenticated',
  code: 'UNAUTHENTICATED',
  http: 401,
  grpc: GrpcStatus.UNAUTHENTICATED,
  message: `expected a token of this server, got ${got}; send 'authorization: Bearer TOKEN'`,
});

const forbidden: Refusal = {
  reason: 'forbidden',
  code: 'PERMISSION_DENIED',
  http: 403,
  grpc: GrpcStatus.PERMISSION_DENIED,
  message: 'expected an admin token for a call that changes what is served, got an inference token',
};

/** Decides whether a call is let in, by what is known before its body is read. */
export class Gate {
  #options: AccessOptions;
  readonly #limiter: RateLimiter | null;

  /**
   * @param options  Tokens and limits.
   */
  constructor(options: AccessOptions) {
    this.#options = options;
    this.#limiter = options.rateLimit ? new RateLimiter(options.rateLimit) : null;
  }

  /**
   * Takes other tokens from now on.
   *
   * @param tokens  All of them.
   */
  setTokens(tokens: readonly KnownToken[]): void {
    this.#options = { ...this.#options, tokens };
  }

  /**
   * Looks at one call.
   *
   * @param kind  What it does.
   * @param authorization  Its `authorization` header or metadata value, if any.
   * @param peer  Address that it comes from, without port.
   * @param nowMs  By `performance.now()`.
   * @returns  The name of its token, and why it is not let in.
   */
  admit(kind: CallKind, authorization: string | undefined, peer: string, nowMs = performance.now()): Admission {
    const { tokens } = this.#options;
    const token = tokens.length > 0 && authorization !== undefined ? findToken(tokens, authorization) : null;
    const tokenName = token?.name ?? null;
    const isOpen = this.#isOpen(kind);
    if (kind !== 'health' && kind !== 'page' && this.#limiter) {
      // Also before a call is refused for its token: guessing has the same limit.
      const waitMs = this.#limiter.take(token ? `token ${token.name}` : `address ${networkOf(peer)}`, nowMs);
      if (waitMs > 0) return { tokenName, refusal: rateLimited(waitMs) };
    }
    if (isOpen) return { tokenName };
    if (!token) return { tokenName, refusal: unauthenticated(authorization === undefined ? 'none' : 'another one') };
    return kind === 'admin' && token.role !== 'admin' ? { tokenName, refusal: forbidden } : { tokenName };
  }

  #isOpen(kind: CallKind): boolean {
    const { tokens, openCalls } = this.#options;
    if (tokens.length === 0) return true;
    if (kind === 'metadata') return openCalls === 'metadata';
    return (kind === 'health' || kind === 'page') && openCalls !== 'none';
  }
}

function rateLimited(waitMs: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000));
  return {
    reason: 'rate_limited',
    code: 'RESOURCE_EXHAUSTED',
    http: 429,
    grpc: GrpcStatus.RESOURCE_EXHAUSTED,
    message: `expected fewer requests from this caller, got more than its rate limit; try again in ${retryAfter} s`,
    retryAfter,
  };
}

/** What counts as one caller: an IPv4 address, or the /64 of an IPv6 address, of which one machine may have every one. */
function networkOf(peer: string): string {
  if (!isIPv6(peer) || /^::ffff:\d+\./i.test(peer)) return peer;
  const [head, tail] = peer.split('::');
  const [left, right] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
