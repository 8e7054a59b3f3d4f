import { SublaceError } from '@sublace/errors';
import { BinnedSum, checkBlock, FixedQuantumSum, freeBlock, quantumExponent, type Block, type BlockData } from '@sublace/partials';
import type { Phase } from '@sublace/scheduling';
import { bytesOfContent, type HeldBlock } from './held-block.ts';
import { ShardSet } from './shard-set.ts';
import type { SumBasis } from './sum-basis.ts';

/** `ggn/2/0` comes before `ggn/10/0`. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

/** Prefix of the blocks that each summing phase may bring. */
const PREFIX: Partial<Record<Phase, string>> = { score: 'score/', accumulate: 'ggn/' };

/** What of the sums is more than their blocks. */
export interface JobSumsFrame {
  /** Names that every shard of a phase brings, sorted. */
  expected: Partial<Record<Phase, string[]>>;
  /** What the sums of phase accumulate depend on, once there are any. */
  basis?: SumBasis;
}

/**
 * What was committed of one job so far. Blocks of the two passes over the data are summed exactly, hence in any order; those of the other phases
 * are kept as they are. Each block of each shard counts once, whoever brings it.
 */
export class JobSums {
  readonly #blocks = new Map<string, HeldBlock>();
  readonly #expected = new Map<Phase, string[]>();
  readonly #values = new Map<string, Block>();
  #basis: SumBasis | undefined;
  #version = 0;

  /**
   * @param saved  Blocks and frame of a checkpoint; owned by the sums.
   */
  constructor(saved?: { blocks: readonly HeldBlock[]; frame: JobSumsFrame }) {
    for (const block of saved?.blocks ?? []) this.#blocks.set(block.name, block);
    for (const [phase, names] of Object.entries(saved?.frame.expected ?? {})) this.#expected.set(phase as Phase, names);
    this.#basis = saved?.frame.basis;
  }

  /**
   * Checks what a shard offers and tells what of it is still to be pulled.
   *
   * @param phase  Phase of the shard.
   * @param shard  Its index.
   * @param names  All blocks that it has.
   * @param basis  What its sums depend on; needed in phase accumulate.
   * @returns  Those that are not committed yet, in order.
   * @throws SublaceError INVALID_ARGUMENT when the names do not fit the phase, or names or basis differ from those of another shard: a sum over
   *   some of the shards would miss data.
   */
  missing(phase: Phase, shard: number, names: string[], basis?: SumBasis): string[] {
    const prefix = PREFIX[phase];
    const odd = prefix === undefined ? undefined : names.find((name) => !name.startsWith(prefix));
    if (odd !== undefined) throw new SublaceError('INVALID_ARGUMENT', `${phase} shard ${shard}: expected blocks ${prefix}*, got ${odd}`);
    if (new Set(names).size !== names.length)
      throw new SublaceError('INVALID_ARGUMENT', `${phase} shard ${shard}: expected distinct block names`);
    this.#checkExpected(phase, shard, [...names].sort());
    if (phase === 'accumulate') this.#checkBasis(shard, basis);
    return names.filter((name) => !this.#blocks.get(name)?.shards.has(shard));
  }

  /**
   * Commits one block of a shard, once: two workers may bring the same block when one of them has lost its lease without knowing.
   *
   * @param phase  Phase of the shard.
   * @param shard  Its index.
   * @param block  Owned by the sums from now on; the memory of a large one that was added is free afterwards.
   * @returns  False when it was committed before.
   * @throws SublaceError of the sum: SUM_OVERFLOW, NUMERICAL_FAILURE, SHAPE_MISMATCH. The job is lost then.
   */
  commit(phase: Phase, shard: number, block: Block): boolean {
    const known = this.#blocks.get(block.name);
    if (known?.shards.has(shard)) return false;
    checkBlock(block);
    const { name, shape, data } = block;
    const held = known ?? { name, phase, shape, content: this.#contentFor(phase, block), shards: new ShardSet(), version: 0 };
    if (held.content instanceof BinnedSum || held.content instanceof FixedQuantumSum) add(held.content, held.shape, block);
    else held.content = data;
    held.shards.add(shard);
    held.version++;
    this.#version++;
    this.#blocks.set(name, held);
    this.#values.delete(name);
    return true;
  }

  /**
   * The shards that have brought every block of theirs.
   *
   * @param phase  A phase.
   * @param shardCount  How many shards it has.
   * @returns  Their indices, ascending.
   */
  wholeShards(phase: Phase, shardCount: number): number[] {
    const sets = this.#expected.get(phase)?.map((name) => this.#blocks.get(name)?.shards);
    if (!sets) return [];
    return Array.from({ length: shardCount }, (_, shard) => shard).filter((shard) => sets.every((set) => set?.has(shard)));
  }

  /**
   * Names of the blocks that a task of a phase needs.
   *
   * @param phase  Phase of the task.
   * @returns  Sums for select; indices for accumulate; everything for finalise. Ordered by name, not by who was first.
   */
  inputNames(phase: Phase): string[] {
    const names = (isWanted: (held: HeldBlock) => boolean): string[] =>
      [...this.#blocks.values()]
        .filter(isWanted)
        .map(({ name }) => name)
        .sort(byName);
    const isSum = (held: HeldBlock): boolean => PREFIX[held.phase] !== undefined;
    if (phase === 'select') return names((held) => held.phase === 'score');
    const kept = names((held) => !isSum(held));
    if (phase === 'accumulate') return kept;
    return phase === 'finalise' ? [...kept, ...names(isSum)] : [];
  }

  /**
   * Names of the sums of a phase.
   *
   * @param phase  A phase.
   * @returns  Its names, `ggn/2/0` before `ggn/10/0`.
   */
  names(phase: Phase): string[] {
    return [...(this.#expected.get(phase) ?? [])].sort(byName);
  }

  /**
   * A block for a task: a kept one, or a finished sum as float64.
   *
   * @param name  One of {@link inputNames}.
   * @returns  The block, shared: every task of the job gets the same one, and that of a tile is the accumulator itself.
   * @throws SublaceError NOT_FOUND when there is none.
   */
  input(name: string): Block {
    const value = this.#values.get(name);
    if (value) return value;
    const held = this.#blocks.get(name);
    if (!held) throw new SublaceError('NOT_FOUND', `block ${name}: expected an input of this job, got an unknown name`);
    const { shape, content } = held;
    const isSum = content instanceof BinnedSum || content instanceof FixedQuantumSum;
    const block = { name, shape, data: isSum ? content.value() : content };
    this.#values.set(name, block);
    return block;
  }

  /** Bytes of everything that is held. */
  get heldBytes(): number {
    let bytes = 0;
    for (const { content } of this.#blocks.values()) bytes += bytesOfContent(content);
    return bytes;
  }

  /** Grows with every commit. */
  get version(): number {
    return this.#version;
  }

  /**
   * Everything that is held, for a checkpoint.
   *
   * @returns  The blocks as they are, not copies.
   */
  blocks(): HeldBlock[] {
    return [...this.#blocks.values()];
  }

  /**
   * What is more than the blocks, for a checkpoint.
   *
   * @returns  A fresh object.
   */
  frame(): JobSumsFrame {
    return { expected: Object.fromEntries(this.#expected), ...(this.#basis && { basis: this.#basis }) };
  }

  #checkExpected(phase: Phase, shard: number, offered: string[]): void {
    const expected = this.#expected.get(phase) ?? offered;
    this.#expected.set(phase, expected);
    if (offered.length === expected.length && offered.every((name, i) => name === expected[i])) return;
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `${phase} shard ${shard}: expected the ${expected.length} blocks of the other shards, got ${offered.length} others`,
    );
  }

  #checkBasis(shard: number, basis: SumBasis | undefined): void {
    if (!basis) throw new SublaceError('INVALID_ARGUMENT', `accumulate shard ${shard}: expected a selection, got none`);
    this.#basis ??= basis;
    if (this.#basis.digest === basis.digest) return;
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `accumulate shard ${shard}: expected a shard of the selection that the others are of, got one of another; submit the job again`,
    );
  }

  #contentFor(phase: Phase, { data }: Block): HeldBlock['content'] {
    if (phase === 'score') return new BinnedSum(data.length);
    if (phase !== 'accumulate') return data;
    if (!this.#basis) throw new SublaceError('INTERNAL', 'accumulate: expected to know the selection before the first block, got none');
    return new FixedQuantumSum(data.length, quantumExponent(this.#basis.maxDiagonal));
  }
}

function add(sum: BinnedSum | FixedQuantumSum, expected: number[], block: Block): void {
  const { name, shape, data } = block;
  if (shape.join() !== expected.join()) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `block ${name}: expected [${expected.join(', ')}] as in the other shards, got [${shape.join(', ')}]`,
    );
  }
  try {
    addTo(sum, data);
  } catch (error) {
    const { code, message } = SublaceError.from(error);
    throw new SublaceError(code, `block ${name}: ${message}`, { cause: error });
  }
  freeBlock(block);
}

/** Scores are float32; tiles of small subnetworks come in float64. */
function addTo(sum: BinnedSum | FixedQuantumSum, data: BlockData): void {
  if (data instanceof Int32Array) throw new SublaceError('INVALID_ARGUMENT', 'expected float32 or float64, got int32');
  if (sum instanceof FixedQuantumSum) sum.add(data);
  else if (data instanceof Float32Array) sum.add(data);
  else throw new SublaceError('INVALID_ARGUMENT', 'expected float32, got float64');
}
