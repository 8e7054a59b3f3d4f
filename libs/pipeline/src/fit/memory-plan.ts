import { totalmem } from 'node:os';
import { rowsPerPass } from '@sublace/curvature';
import type { Network } from '@sublace/network';
import { TILE_SIZE } from '@sublace/partials';
import { PHASES, type Phase } from '@sublace/scheduling';

/** What a fit needs memory for. */
export interface MemoryProblem {
  readonly network: Pick<Network, 'activationElements' | 'layout'>;
  /** S. */
  readonly size: number;
  /** Examples of training and validation, and numbers of one input. */
  readonly exampleCount: number;
  readonly inputElements: number;
  /** C. */
  readonly outputCount: number;
  readonly shardCount: number;
  /** Workers on this machine. */
  readonly workerCount: number;
  /** Whether the prior is tuned, which takes an eigendecomposition. */
  readonly isTuned: boolean;
  /** Whether reducers, on machines of their own, hold the sums and make the factor. */
  readonly isSpread?: boolean;
}

/** Memory of one process in one phase. */
export interface MemoryNeed {
  readonly role: 'coordinator' | 'worker';
  readonly phase: Phase;
  readonly bytes: number;
}

/** Memory of a fit. */
export interface MemoryPlan {
  readonly needs: readonly MemoryNeed[];
  /** Coordinator, workers and command line together, in the phase where that is largest. */
  readonly peak: { readonly phase: Phase; readonly bytes: number };
}

/** Resident bytes of a process before it has anything to do: Node, its sources, for a worker the tensor runtime. */
const BASE_BYTES = { coordinator: 120e6, worker: 600e6, cli: 230e6 };

/** What a worker's passes over data hold besides what grows with S and P: signals, products, freed memory that the allocator keeps. */
const PASS_BYTES = 600e6;

/** What moves tiles: buffers on the way, blocks that wait for the garbage collector. */
const TRANSFER_BYTES = 300e6;

/** Gathered rows of the GGN, joined and cut into panels: three times 256 MiB. */
const GATHERED_BYTES = 3 * 256 * 2 ** 20;

/** Vectors that a factor is solved for at once when the effective dimension is estimated. */
const PROBE_COLUMNS = 64;

/** Dense float64 matrices of S x S that an eigendecomposition holds at once, with the vectors and what they are made from. */
const EIGEN_MATRICES = 5;

/**
 * Memory of every process of a fit, by phase. Nothing is S x S but tiles of the lower triangle, about S^2 / 2 numbers:
 *
 *   accumulate   worker: float32 tiles of the shard that is computed, and of the one before, while the coordinator pulls it
 *                coordinator: float64 sums
 *   finalise     coordinator: the sums, in case the worker is lost
 *                worker: the sums on their way to the file of the GGN, then the factor that is computed from there; never both
 *                where the factorisation is spread over reducers: one row of tiles of the factor; the sums and the rest are with the reducers
 *
 * and the vectors over all P weights.
 *
 * @param problem  Sizes.
 * @returns  The plan.
 */
export function memoryPlan(problem: MemoryProblem): MemoryPlan {
  const needs = PHASES.flatMap((phase): MemoryNeed[] => [
    { role: 'coordinator', phase, bytes: BASE_BYTES.coordinator + coordinatorBytes(phase, problem) },
    { role: 'worker', phase, bytes: BASE_BYTES.worker + modelBytes(problem) + workerBytes(phase, problem) },
  ]);
  const [first, ...others] = PHASES.map((phase) => {
    // Phases of one task keep one worker busy; the others hold model and data only.
    const busy = phase === 'score' || phase === 'accumulate' ? Math.min(problem.workerCount, problem.shardCount) : 1;
    const [coordinator, worker] = needs.filter((need) => need.phase === phase);
    const idle = (problem.workerCount - busy) * (BASE_BYTES.worker + modelBytes(problem));
    return { phase, bytes: BASE_BYTES.cli + coordinator.bytes + busy * worker.bytes + idle };
  });
  return { needs, peak: others.reduce((largest, need) => (need.bytes > largest.bytes ? need : largest), first) };
}

/**
 * Memory that the processes of this machine may use: what the machine has, or the container's limit where that is lower.
 *
 * @returns  Bytes.
 */
export function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Numbers in the tiles of the lower triangle; those on the diagonal are whole squares. */
function tileElements(size: number): number {
  const [full, rest] = [Math.floor(size / TILE_SIZE), size % TILE_SIZE];
  return ((full * (full + 1)) / 2) * TILE_SIZE ** 2 + full * TILE_SIZE * rest + rest ** 2;
}

function coordinatorBytes(phase: Phase, { network, size, isSpread = false }: MemoryProblem): number {
  const scores = 25 * network.layout.size; // two float64 and a byte per sum, and its value
  if (phase === 'plan') return 0;
  if (phase === 'score' || phase === 'select') return scores + waitingBytes(scores);
  const sums = scores + (isSpread ? 0 : 8 * tileElements(size));
  return sums + waitingBytes(sums);
}

/** Blocks on their way: no more than there are, with a few buffers. */
function waitingBytes(sums: number): number {
  return Math.min(TRANSFER_BYTES, 30e6 + sums);
}

/** Model and data, which a worker keeps for the whole job. */
function modelBytes({ network, exampleCount, inputElements }: MemoryProblem): number {
  return 12 * network.layout.size + 5 * exampleCount * inputElements;
}

function workerBytes(phase: Phase, problem: MemoryProblem): number {
  const { network, size, outputCount, shardCount, isTuned, isSpread = false } = problem;
  const { layout } = network;
  const tiles = tileElements(size);
  switch (phase) {
    case 'plan':
      return PASS_BYTES;
    case 'score': {
      // Squared per row: the gradients of a convolution's kernel. A dense kernel's are never formed.
      const largestKernel = layout.entries.reduce(
        (largest, { shape, size: count }) => (shape.length > 2 ? Math.max(largest, count) : largest),
        0,
      );
      return 8 * layout.size + PASS_BYTES + 3 * 4 * Math.min(outputCount, rowsPerPass(network, 0)) * largestKernel;
    }
    case 'select':
      return 40 * layout.size;
    case 'accumulate':
      return 4 * tiles * Math.min(2, shardCount) + Math.min(GATHERED_BYTES, 3 * 4 * 4096 * size) + PASS_BYTES;
    case 'finalise':
      // A row of tiles, and the vectors that the effective dimension is estimated with, a few times.
      if (isSpread) return 8 * layout.size + 8 * (TILE_SIZE + 4 * PROBE_COLUMNS) * size + 2 * TRANSFER_BYTES;
      return 8 * layout.size + 8 * tiles + 2 * TRANSFER_BYTES + (isTuned ? 8 * EIGEN_MATRICES * size ** 2 : 0);
  }
}
