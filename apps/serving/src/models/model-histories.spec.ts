import { SublaceError } from '@sublace/errors';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ScriptedVersions, settle } from '../../test/scripted-version.ts';
import { silentObserver } from '../observe/observer.ts';
import { ModelRepository } from './model-repository.ts';
import type { VersionLease } from './model-version.ts';

/** Something that happens to a repository. */
type Step =
  | { kind: 'point'; stable: number; canary: number | null }
  | { kind: 'load-ends'; which: number; how: 'succeeds' | 'fails for now' | 'fails for good' }
  | { kind: 'request'; version: string }
  | { kind: 'answer'; which: number }
  | { kind: 'unload' }
  | { kind: 'load' }
  | { kind: 'time'; ms: number };

const versions = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('point' as const), stable: versions, canary: fc.option(versions) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('load-ends' as const),
      which: fc.nat(3),
      how: fc.constantFrom('succeeds' as const, 'succeeds' as const, 'fails for now' as const, 'fails for good' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('request' as const), version: fc.constantFrom('', 'stable', 'canary', '1', '2') }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'unload' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'load' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(5000) }) },
);

/** One history, and what must hold in each moment of it. */
class History {
  readonly #scripted = new ScriptedVersions(10);
  readonly #repository: ModelRepository;
  readonly #leases: VersionLease[] = [];
  #wanted: { stable: number; canary: number | null } = { stable: 0, canary: null };
  /** Whether requests without a version were answered before, and nobody has unloaded the model since. */
  #hasAnswered = false;

  constructor(options: { keepPrevious: boolean; memoryLimitBytes: number }) {
    this.#repository = new ModelRepository(silentObserver, { canaryShare: 0.5, ...options });
  }

  async take(next: Step): Promise<void> {
    if (next.kind === 'point') this.#point(next.stable, next.canary);
    else if (next.kind === 'load-ends') this.#endLoad(next.which, next.how);
    else if (next.kind === 'request') await this.#request(next.version);
    else if (next.kind === 'answer') this.#leases.splice(next.which, 1)[0]?.release();
    else if (next.kind === 'time') await vi.advanceTimersByTimeAsync(next.ms);
    else if (this.#wanted.stable > 0) {
      if (next.kind === 'unload') this.#hasAnswered = false;
      void this.#repository[next.kind]('m').catch(() => undefined);
    }
    await settle();
    await this.#check();
  }

  /** Everything that is under way ends well, and time passes: what is there must be what was wanted last. */
  async finish(): Promise<void> {
    if (this.#wanted.stable === 0) return;
    void this.#repository.load('m').catch(() => undefined);
    for (const lease of this.#leases.splice(0)) lease.release();
    for (let i = 0; i < 40; i++) {
      await vi.advanceTimersByTimeAsync(5000);
      for (const load of [...this.#scripted.pending]) load.succeed();
      await settle();
      await this.#check();
    }
    const { stable, canary } = this.#wanted;
    expect(this.#repository.acquire('m', 'stable').version).toBe(String(stable));
    if (canary !== null) expect(this.#repository.acquire('m', 'canary').version).toBe(String(canary));
    const wanted = [...new Set([stable, canary ?? stable])].map(String).sort();
    const alive = [...this.#scripted.alive.values()].sort();
    expect(alive).toEqual(expect.arrayContaining(wanted));
    // Nothing but what was stable before, where that is kept.
    expect(alive.length - wanted.length).toBeLessThanOrEqual(1);
    expect(new Set(alive).size, 'none twice').toBe(alive.length);
  }

  #point(stable: number, canary: number | null): void {
    this.#wanted = { stable, canary };
    const numbers = [...new Set([stable, ...(canary === null ? [] : [canary])])].map(String);
    this.#repository.want({
      name: 'm',
      versions: numbers.map((number) => this.#scripted.version(number)),
      labels: { stable: String(stable), ...(canary !== null && { canary: String(canary) }) },
    });
  }

  #endLoad(which: number, how: 'succeeds' | 'fails for now' | 'fails for good'): void {
    const load = this.#scripted.pending[which % Math.max(1, this.#scripted.pending.length)];
    if (how === 'succeeds') load?.succeed();
    else load?.fail(new SublaceError(how === 'fails for now' ? 'UNAVAILABLE' : 'DIGEST_MISMATCH', how));
  }

  async #request(version: string): Promise<void> {
    try {
      const lease = this.#repository.acquire('m', version);
      this.#leases.push(lease);
      if (version === '') this.#hasAnswered = true;
      if (/^\d/.test(version)) expect(lease.version).toBe(version);
    } catch (error) {
      const { code } = SublaceError.from(error);
      expect(['NOT_FOUND', 'UNAVAILABLE']).toContain(code);
      // A swap leaves no gap.
      if (version === '' && this.#hasAnswered) throw new Error('a request that was not answered, after others were', { cause: error });
    }
    await settle();
  }

  /** Whatever is leased answers, as the version that it is; labels stand for what is ready; states and memory agree. */
  async #check(): Promise<void> {
    for (const { model, version } of this.#leases) {
      const [answer] = await model.infer([{ input: Float32Array.of(0), count: 1, outputs: ['y'], parameters: {} }]);
      expect('outputs' in answer && answer.outputs[0].data[0]).toBe(Number(version));
    }
    expect(this.#scripted.violations).toEqual([]);
    const index = this.#repository.index();
    for (const { state, labels, share, inFlight } of index) {
      if (state !== 'ready') expect([labels, share]).toEqual([[], 0]);
      if (inFlight > 0) expect(['ready', 'draining']).toContain(state);
    }
    const inUse = index.reduce((sum, { inFlight }) => sum + inFlight, 0);
    expect(inUse).toBe(this.#leases.length);
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = (options: { keepPrevious: boolean; memoryLimitBytes: number }, runCount: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const history = new History(options);
      for (const next of steps) await history.take(next);
      await history.finish();
    }),
    { numRuns: runCount, seed: 5 },
  );

it(
  'never answers from what is not ready, never frees what is in use, and ends at the last pointer',
  () => run({ keepPrevious: false, memoryLimitBytes: Infinity }, 400),
  60_000,
);

it('does so when it keeps the version before', () => run({ keepPrevious: true, memoryLimitBytes: Infinity }, 200), 60_000);

it('does so within a memory limit of three versions', () => run({ keepPrevious: true, memoryLimitBytes: 30 }, 200), 60_000);
