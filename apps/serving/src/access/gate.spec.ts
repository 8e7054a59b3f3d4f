import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { CallKind } from './call-kind.ts';
import { Gate, type AccessOptions } from './gate.ts';
import { readTokens } from './tokens.ts';

const tokens = readTokens([
  { role: 'inference', text: 'alice:inference-secret' },
  { role: 'admin', text: 'root:admin-secret' },
]);
const kinds: CallKind[] = ['page', 'health', 'metadata', 'inference', 'admin'];

/** Kinds of calls that come in, and why the others do not. */
function look(options: Partial<AccessOptions>, authorization?: string): Record<string, string | null> {
  const gate = new Gate({ tokens, openCalls: 'health', ...options });
  return Object.fromEntries(kinds.map((kind) => [kind, gate.admit(kind, authorization, '10.0.0.1').refusal?.reason ?? null]));
}

const all = (reason: string | null): Record<string, string | null> => Object.fromEntries(kinds.map((kind) => [kind, reason]));

describe('Gate', () => {
  it('lets everybody do everything where there are no tokens', () => {
    expect(look({ tokens: [] })).toEqual(all(null));
    expect(look({ tokens: [] }, 'Bearer whatever')).toEqual(all(null));
  });

  it('keeps inference and admin apart', () => {
    expect(look({}, 'Bearer inference-secret')).toEqual({ ...all(null), admin: 'forbidden' });
    expect(look({}, 'Bearer admin-secret')).toEqual(all(null));
  });

  it('opens what the option says without a token', () => {
    const closed = all('unauthenticated');
    expect(look({ openCalls: 'none' })).toEqual(closed);
    expect(look({ openCalls: 'health' })).toEqual({ ...closed, page: null, health: null });
    expect(look({ openCalls: 'metadata' })).toEqual({ ...closed, page: null, health: null, metadata: null });
  });

  it('asks for an admin token even where there is none', () => {
    const onlyInference = tokens.filter(({ role }) => role === 'inference');
    expect(look({ tokens: onlyInference }, 'Bearer inference-secret')).toMatchObject({ inference: null, admin: 'forbidden' });
    expect(look({ tokens: onlyInference })).toMatchObject({ admin: 'unauthenticated' });
  });

  it.each(['Bearer wrong', 'inference-secret', 'Basic inference-secret', 'Bearer ', 'Bearer inference-secret x', ''])(
    'does not take %j for a token',
    (authorization) => {
      expect(look({}, authorization)['inference']).toBe('unauthenticated');
    },
  );

  it('says who it was, and refuses in the words of both protocols without the token', () => {
    const gate = new Gate({ tokens, openCalls: 'health' });
    expect(gate.admit('inference', 'bearer inference-secret', '::1')).toEqual({ tokenName: 'alice' });
    const { refusal } = gate.admit('inference', 'Bearer guessed', '::1');
    expect(refusal).toMatchObject({ http: 401, grpc: status.UNAUTHENTICATED, code: 'UNAUTHENTICATED' });
    expect(refusal?.message).toMatch(/expected a token of this server, got another one/);
    expect(refusal?.message).not.toContain('guessed');
    expect(gate.admit('admin', 'Bearer inference-secret', '::1').refusal).toMatchObject({ http: 403, grpc: status.PERMISSION_DENIED });
  });

  it('takes other tokens once they are set', () => {
    const gate = new Gate({ tokens, openCalls: 'health' });
    gate.setTokens(readTokens([{ role: 'inference', text: 'next-secret' }]));
    expect(gate.admit('inference', 'Bearer inference-secret', '::1').refusal?.reason).toBe('unauthenticated');
    expect(gate.admit('inference', 'Bearer next-secret', '::1')).toEqual({ tokenName: 'inference-1' });
  });
});

describe('its rate limit', () => {
  const limited = (more: Partial<AccessOptions> = {}): Gate =>
    new Gate({ tokens, openCalls: 'health', rateLimit: { rate: 2, burst: 3 }, ...more });
  const codes = (gate: Gate, count: number, authorization: string | undefined, peer: string, nowMs: number, kind: CallKind = 'inference') =>
    Array.from({ length: count }, () => gate.admit(kind, authorization, peer, nowMs).refusal?.http ?? 200);

  it('holds for each token on its own, wherever it comes from', () => {
    const gate = limited();
    expect(codes(gate, 4, 'Bearer inference-secret', '10.0.0.1', 0)).toEqual([200, 200, 200, 429]);
    expect(codes(gate, 1, 'Bearer inference-secret', '10.0.0.2', 0)).toEqual([429]);
    expect(codes(gate, 1, 'Bearer admin-secret', '10.0.0.1', 0)).toEqual([200]);
    expect(codes(gate, 2, 'Bearer inference-secret', '10.0.0.1', 500)).toEqual([200, 429]); // one more after half a second
    expect(gate.admit('inference', 'Bearer inference-secret', '10.0.0.1', 500).refusal).toMatchObject({
      grpc: status.RESOURCE_EXHAUSTED,
      retryAfter: 1,
    });
  });

  it('holds for each address where there is no token, and a /64 is one address', () => {
    const gate = limited({ tokens: [] });
    expect(codes(gate, 4, undefined, '10.0.0.1', 0)).toEqual([200, 200, 200, 429]);
    expect(codes(gate, 1, undefined, '10.0.0.2', 0)).toEqual([200]);
    expect(codes(gate, 3, undefined, '2001:db8::1', 0)).toEqual([200, 200, 200]);
    expect(codes(gate, 1, undefined, '2001:db8:0:0:5:6:7:8', 0)).toEqual([429]);
    expect(codes(gate, 1, undefined, '2001:db8:0:1::1', 0)).toEqual([200]);
  });

  it('holds for guesses at tokens', () => {
    expect(codes(limited(), 4, 'Bearer guess', '10.0.0.1', 0)).toEqual([401, 401, 401, 429]);
  });

  it('never keeps probes out', () => {
    expect(codes(limited(), 100, undefined, '10.0.0.1', 0, 'health')).toEqual(new Array(100).fill(200));
  });
});
