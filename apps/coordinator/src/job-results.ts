import { SublaceError } from '@sublace/errors';
import { BinnedSum, checkBlock, FixedQuantumSum, quantumExponent, type Block } from '@sublace/partials';
import type { JsonObject, Phase } from '@sublace/scheduling';

/** What the reducer needs to know about a sum, whichever kind it is. */
interface Reduction {
  shape: number[];
  sum: BinnedSum | FixedQuantumSum;
}

/** `ggn/2/0` comes before `ggn/10/0`. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

/** Prefix of the blocks that each summing phase may bring. */
const PREFIX: Partial<Record<Phase, string>> = { score: 'score/', accumulate: 'ggn/' };

/**
 * The reducer of one job: what was committed so far. Blocks of the two passes over the data are summed exactly, hence in any order; those of
 * the other phases are kept as they are. Each block of each shard counts once, whoever brings it.
 */
export class JobResults {
  readonly #reductions = new Map<string, Reduction>();
  readonly #kept = new Map<string, Block>();
  /** Names committed so far, by phase and shard. */
  readonly #committed = new Map<string, Set<string>>();
  /** Names that every shard of a phase must bring. */
  readonly #expected = new Map<Phase, string>();
  readonly #values = new Map<string, Block>();

  /**
   * Checks what a shard offers and tells what of it is still to be pulled.
   *
   * @param phase  Phase of the shard.
   * @param shard  Its index.
   * @param names  All blocks that it has.
   * @returns  Those that are not committed yet, in order.
   * @throws SublaceError INVALID_ARGUMENT when the names do not fit the phase, or differ from those of another shard: a sum over some of
   *   the shards would miss data.
   */
  missing(phase: Phase, shard: number, names: string[]): string[] {
    const prefix = PREFIX[phase];
    const odd = prefix === undefined ? undefined : names.find((name) => !name.startsWith(prefix));
    if (odd !== undefined) throw new SublaceError('INVALID_ARGUMENT', `${phase} shard ${shard}: expected blocks ${prefix}*, got ${odd}`);
    if (new Set(names).size !== names.length)
      throw new SublaceError('INVALID_ARGUMENT', `${phase} shard ${shard}: expected distinct block names`);

    const offered = [...names].sort().join('\n');
    const expected = this.#expected.get(phase) ?? offered;
    this.#expected.set(phase, expected);
    if (offered !== expected) {
      const [theirs, others] = [names.length, expected === '' ? 0 : expected.split('\n').length];
      throw new SublaceError(
        'INVALID_ARGUMENT',
        `${phase} shard ${shard}: expected the ${others} blocks of the other shards, got ${theirs} others`,
      );
    }
    const committed = this.#committed.get(`${phase}/${shard}`);
    return committed ? names.filter((name) => !committed.has(name)) : names;
  }

  /**
   * Commits one block of a shard, once: two workers may bring the same block when one of them has lost its lease without knowing.
   *
   * @param phase  Phase of the shard.
   * @param shard  Its index.
   * @param block  Owned by the results from now on.
   * @param selection  Summary of the select task; in phase accumulate its `maxDiagonal` bounds the sums.
   * @returns  False when it was committed before.
   * @throws SublaceError of the sum: SUM_OVERFLOW, NUMERICAL_FAILURE, SHAPE_MISMATCH. The job is lost then.
   */
  commit(phase: Phase, shard: number, block: Block, selection: JsonObject | undefined): boolean {
    const key = `${phase}/${shard}`;
    const committed = this.#committed.get(key) ?? new Set();
    this.#committed.set(key, committed);
    if (committed.has(block.name)) return false;
    checkBlock(block);
    if (phase === 'score' || phase === 'accumulate') this.#add(phase, block, selection);
    else this.#kept.set(block.name, block);
    committed.add(block.name);
    return true;
  }

  /**
   * Names of the blocks that a task of a phase needs.
   *
   * @param phase  Phase of the task.
   * @returns  Sums for select; indices for accumulate; everything for finalise. Ordered by name, not by who was first.
   */
  inputNames(phase: Phase): string[] {
    const sums = [...this.#reductions.keys()].sort(byName);
    const kept = [...this.#kept.keys()].sort(byName);
    if (phase === 'select') return sums.filter((name) => name.startsWith('score/'));
    if (phase === 'accumulate') return kept;
    return phase === 'finalise' ? [...kept, ...sums] : [];
  }

  /**
   * A block for a task: a kept one, or a finished sum as float64.
   *
   * @param name  One of {@link inputNames}.
   * @returns  The block, shared: every task of the job gets the same one.
   * @throws SublaceError NOT_FOUND when there is none.
   */
  input(name: string): Block {
    const known = this.#kept.get(name) ?? this.#values.get(name);
    if (known) return known;
    const reduction = this.#reductions.get(name);
    if (!reduction) throw new SublaceError('NOT_FOUND', `block ${name}: expected an input of this job, got an unknown name`);
    const block = { name, shape: reduction.shape, data: reduction.sum.value() };
    this.#values.set(name, block);
    return block;
  }

  #add(phase: Phase, { name, shape, data }: Block, selection: JsonObject | undefined): void {
    if (data instanceof Int32Array) throw new SublaceError('INVALID_ARGUMENT', `block ${name}: expected float32 or float64, got int32`);
    const reduction = this.#reductions.get(name) ?? { shape, sum: makeSum(phase, data.length, selection) };
    this.#reductions.set(name, reduction);
    if (shape.join() !== reduction.shape.join()) {
      throw new SublaceError(
        'SHAPE_MISMATCH',
        `block ${name}: expected [${reduction.shape.join(', ')}] as in the other shards, got [${shape.join(', ')}]`,
      );
    }
    try {
      addTo(reduction.sum, data);
    } catch (error) {
      const { code, message } = SublaceError.from(error);
      throw new SublaceError(code, `block ${name}: ${message}`, { cause: error });
    }
  }
}

/** Scores are float32; tiles of small subnetworks come in float64. */
function addTo(sum: BinnedSum | FixedQuantumSum, data: Float32Array | Float64Array): void {
  if (sum instanceof FixedQuantumSum) sum.add(data);
  else if (data instanceof Float32Array) sum.add(data);
  else throw new SublaceError('INVALID_ARGUMENT', 'expected float32, got float64');
}

function makeSum(phase: Phase, length: number, selection: JsonObject | undefined): BinnedSum | FixedQuantumSum {
  if (phase === 'score') return new BinnedSum(length);
  const maxDiagonal = selection?.maxDiagonal;
  if (typeof maxDiagonal !== 'number') {
    throw new SublaceError('INVALID_ARGUMENT', `select: expected a number maxDiagonal in its summary, got ${JSON.stringify(maxDiagonal)}`);
  }
  return new FixedQuantumSum(length, quantumExponent(maxDiagonal));
}
