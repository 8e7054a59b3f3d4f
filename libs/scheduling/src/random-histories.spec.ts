import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyState, isChange, step, type Effect, type Phase, type SchedulerState, type SchedulingEvent } from './index.ts';

const LEASE_MS = 100;
const ATTEMPTS_MAX = 3;
const PHASE_SIZES: [Phase, number][] = [
  ['plan', 1],
  ['score', 3],
  ['select', 1],
  ['accumulate', 3],
  ['finalise', 1],
];

/** One job, written as naively as it can be: a flat list of all shards of all phases, scanned from the front every time. */
class Twin {
  shards = PHASE_SIZES.flatMap(([phase, count]) =>
    Array.from({ length: count }, (_, shard) => ({ phase, shard, token: 0, holder: '', expires: 0, attempts: 0, done: false })),
  );
  outcome = 'open';
  token = 0;

  phase(): Phase | undefined {
    return this.shards.find((shard) => !shard.done)?.phase;
  }

  claim(worker: string, now: number): number | undefined {
    const free = this.shards.find((shard) => shard.phase === this.phase() && !shard.done && shard.holder === '');
    if (!free || this.outcome !== 'open') return undefined;
    free.holder = worker;
    free.expires = now + LEASE_MS;
    free.attempts += 1;
    free.token = this.token += 1;
    return free.token;
  }

  held(token: number) {
    return this.outcome === 'open' ? this.shards.find((shard) => shard.holder !== '' && shard.token === token) : undefined;
  }

  lose(shard: Twin['shards'][number]): void {
    shard.holder = '';
    if (shard.attempts >= ATTEMPTS_MAX) this.outcome = 'failed';
  }

  complete(token: number): string {
    const shard = this.held(token);
    if (!shard) return this.shards.some((other) => other.done && other.token === token) ? 'duplicate' : 'fenced';
    shard.holder = '';
    shard.done = true;
    return 'accepted';
  }
}

type Action =
  | { kind: 'claim'; worker: number }
  | { kind: 'complete' | 'renew' | 'fail' | 'release' | 'offer'; pick: number }
  | { kind: 'lose'; worker: number }
  | { kind: 'tick'; byMs: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('claim' as const), worker: fc.nat(3) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('complete' as const), pick: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('renew' as const, 'release' as const, 'offer' as const), pick: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), pick: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), worker: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), byMs: fc.nat(80) }) },
);

describe('random histories', () => {
  it('agree with the naive twin after every event', () => {
    let finished = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 60, maxLength: 160 }), (actions) => {
        const twin = new Twin();
        const tokens: { phase: Phase; shard: number; leaseToken: number }[] = [];
        let state = step(
          emptyState({ leaseDurationMs: LEASE_MS, attemptsMax: ATTEMPTS_MAX }),
          { type: 'submitJob', jobId: 'a', spec: {} },
          0,
        ).state;
        let nowMs = 0;
        const act = (event: SchedulingEvent): Effect[] => {
          const result = step(state, event, nowMs);
          state = result.state;
          expect(
            result.effects.filter((effect) => !isChange(effect)),
            'exactly one reply',
          ).toHaveLength(1);
          return result.effects;
        };
        for (const next of actions) {
          if (next.kind === 'tick') {
            nowMs += next.byMs;
            act({ type: 'requeueExpired' });
            for (const shard of twin.shards) if (twin.outcome === 'open' && shard.holder !== '' && shard.expires <= nowMs) twin.lose(shard);
          } else if (next.kind === 'claim') {
            const [reply] = act({ type: 'claimShard', workerId: `w${next.worker}` });
            const token = twin.claim(`w${next.worker}`, nowMs);
            expect(reply.type === 'leased' ? reply.lease.leaseToken : undefined).toBe(token);
            if (reply.type === 'leased') tokens.push(reply.lease);
          } else if (next.kind === 'lose') {
            act({ type: 'releaseWorker', workerId: `w${next.worker}`, reason: 'gone' });
            for (const shard of twin.shards) if (twin.outcome === 'open' && shard.holder === `w${next.worker}`) twin.lose(shard);
          } else if (tokens.length > 0) {
            // Newer tokens are picked more often than stale ones, but stale ones do come.
            const { phase, shard, leaseToken } = tokens[Math.max(0, tokens.length - 1 - (next.pick % 3))];
            const ref = { jobId: 'a', phase, shard, leaseToken };
            const held = twin.held(leaseToken);
            if (next.kind === 'complete') {
              const [reply] = act({
                type: 'completeShard',
                ref,
                summary: phase === 'plan' ? { shards: [0, 1, 2] } : { token: leaseToken },
              });
              expect(reply.type).toBe(twin.complete(leaseToken));
            } else if (next.kind === 'fail') {
              act({ type: 'failShard', ref, code: 'INTERNAL', message: 'boom', retryable: true });
              if (held) twin.lose(held);
            } else if (next.kind === 'release') {
              act({ type: 'releaseShard', ref });
              if (held) Object.assign(held, { holder: '', attempts: held.attempts - 1 });
            } else {
              act({ type: next.kind === 'renew' ? 'renewLease' : 'offerTiles', ref });
              if (held) held.expires = nowMs + LEASE_MS;
            }
          }
          compare(state, twin);
        }
        if (twin.phase() === undefined) finished++;
      }),
      { numRuns: 800, seed: 7 },
    );
    expect(finished, 'histories that reach the end').toBeGreaterThan(20);
  });
});

function compare(state: SchedulerState, twin: Twin): void {
  const job = state.jobs.get('a')!;
  expect(job.state === 'failed' ? 'failed' : 'open').toBe(twin.outcome);
  if (job.state === 'failed') {
    expect(state.leases.size).toBe(0);
    return;
  }
  const phase = twin.phase() ?? 'finalise';
  expect(job.phase).toBe(phase);
  const expected = twin.shards
    .filter((shard) => shard.phase === phase)
    .map((shard) => (shard.done ? 'done' : shard.holder === '' ? 'pending' : 'leased'));
  expect(job.shards.map((shard) => shard.state)).toEqual(expected);
  expect([...state.leases.keys()]).toEqual(
    twin.shards
      .filter((shard) => shard.holder !== '')
      .map((shard) => shard.token)
      .sort((a, b) => a - b),
  );
}
