import { SublaceError } from '@sublace/errors';
import { tilesOfLowerTriangle } from '@sublace/partials';
import type { LeaseRef } from '@sublace/scheduling';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Factorisations, type FactoriseAnswer, type FactoriseMessage } from './factorisations.ts';

const [SIZE, TILE] = [10, 4];
/** One reducer by itself, with its thread: the runtime loads once per process. */
let parts: Factorisations;
let slotCount = 1;
let currentToken = 0;
/** Name of the runtime here, which a refusal tells. */
let runtime = 'unknown';
const calls = new AbortController();

beforeAll(async () => {
  parts = new Factorisations({
    slot: () => ({ slot: 0, slotCount }),
    tileOf: (_, row, column) => tileOf(row, column),
    checkLease: async ({ leaseToken }) => {
      if (leaseToken < currentToken) throw new SublaceError('FENCED', 'not current');
    },
    security: {},
    onNote: () => undefined,
  });
  const refused = await outcomeOf(begin(1).next());
  runtime = /got (.*) at a reducer/.exec(refused)?.[1] ?? refused;
}, 60_000);

afterAll(() => parts.stop());

const lease = (leaseToken: number): LeaseRef => ({ jobId: 'j', phase: 'finalise', shard: 0, leaseToken });

/** Four times the identity, in tiles: its factor is twice the identity. */
function tileOf(row: number, column: number): Float64Array {
  const tile = tilesOfLowerTriangle(SIZE, TILE).find((each) => each.row === row && each.column === column)!;
  const values = new Float64Array(tile.rows * tile.columns);
  if (row === column) for (let i = 0; i < tile.rows; i++) values[i * (tile.rows + 1)] = 4;
  return values;
}

function begin(leaseToken: number, changes: Partial<FactoriseMessage> = {}, signal = calls.signal): AsyncGenerator<FactoriseAnswer> {
  const diagonal = new Uint8Array(new Float64Array(SIZE).buffer);
  const common = { size: SIZE, tileSize: TILE, divisor: 1, diagonal, threads: 1, runtime, number: 0, reducers: ['127.0.0.1:1'] };
  return parts.factorise({ lease: lease(leaseToken), ...common, ...changes }, { signal, peer: 'spec' });
}

/** Reads reports up to the last; the call stays open. */
async function lastOf(call: AsyncGenerator<FactoriseAnswer>): Promise<FactoriseAnswer> {
  for (;;) {
    const { value, done } = (await call.next()) as IteratorResult<FactoriseAnswer, undefined>;
    if (done) throw new Error('the call ended');
    if (value.failure ?? value.tilesDone === value.tilesTotal) return value;
  }
}

async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error: unknown) => `${SublaceError.from(error).code} ${SublaceError.from(error).message}`,
  );
}

describe('Factorisations', () => {
  it('serves the factor, as soon as it is asked for it and told to make it, until the call ends', async () => {
    const early = parts.block(lease(10), 'factor/3/1/1');
    const stop = new AbortController();
    const call = begin(10, { number: 3 }, stop.signal);
    expect(await lastOf(call)).toEqual({ tilesDone: 6, tilesTotal: 6, failure: null });
    expect(await early).toEqual({ name: 'factor/3/1/1', shape: [4, 4], data: tileOf(1, 1).map((value) => value / 2) });
    expect((await parts.block(lease(10), 'factor/3/2/1')).shape).toEqual([2, 4]);
    expect(await outcomeOf(parts.block(lease(10), 'factor/3/7/7'))).toBe(
      'NOT_FOUND factor/3/7/7: expected a tile of this reducer, got one of another',
    );
    const waiting = outcomeOf(call.next());
    stop.abort();
    expect(await waiting).toMatch(/^CANCELLED/);
  });

  it('is fenced by the token of the lease, and under it by the number', async () => {
    const first = begin(20);
    await lastOf(first);
    const firstEnds = outcomeOf(first.next());
    const second = begin(20, { number: 1 });
    await lastOf(second);
    expect(await firstEnds).toBe('FENCED job j: a later factorisation has begun');
    expect(await outcomeOf(parts.block(lease(20), 'factor/0/0/0'))).toBe(
      'FENCED job j: expected the factorisation of lease 20, number 1, which goes on, got 20, number 0',
    );
    expect(await outcomeOf(begin(19).next())).toMatch(/^FENCED .*lease 20, number 1, which goes on, got 19/);
    currentToken = 30;
    expect(await outcomeOf(begin(25).next())).toBe('FENCED not current');
    const third = begin(30);
    const secondEnds = outcomeOf(second.next());
    await lastOf(third);
    expect(await secondEnds).toMatch(/^FENCED/);
  });

  it('answers with the pivot where the matrix has no factor', async () => {
    const call = begin(40, { divisor: -2 });
    expect((await lastOf(call)).failure).toEqual({ position: 0, pivot: -2 });
    expect(await parts.block(lease(40), 'factor/0/1/0')).toEqual({ name: 'factor/0/1/0', shape: [2], data: Float64Array.of(0, -2) });
    await call.return(undefined);
  });

  it('fails so that it can be tried again when a peer or the slot is lost', async () => {
    expect(await outcomeOf(begin(50, { reducers: ['a:1', 'b:1'] }).next())).toBe('UNAVAILABLE job j: expected a slot of 2, got one of 1');
    slotCount = 2;
    const call = begin(51, { reducers: ['127.0.0.1:1', '127.0.0.1:1'] });
    expect(await outcomeOf(lastOf(call))).toMatch(/^UNAVAILABLE reducer 1: /);
    slotCount = 1;
  });

  it('refuses what would give other bits', async () => {
    expect(await outcomeOf(begin(60, { threads: 2 }).next())).toMatch(/^INVALID_ARGUMENT factorise: expected 1 threads .* got 2/);
    expect(await outcomeOf(begin(60, { runtime: 'abacus' }).next())).toMatch(
      /expected the runtime of the worker, abacus, got .* at a reducer/,
    );
    expect(await outcomeOf(begin(60, { size: 9 }).next())).toBe('INVALID_ARGUMENT factorise: expected 9 elements of the diagonal, got 10');
    expect(await outcomeOf(parts.block(lease(60), 'factor/x'))).toBe('INVALID_ARGUMENT block factor/x: expected factor/NUMBER/ROW/COLUMN');
  });
});
