import { PHASES, type Phase } from '@sublace/scheduling';

/** What numbers are drawn for; each has its own streams, one per worker or shard. */
const PURPOSES = ['straggler', 'loss', 'pause', ...PHASES.map((phase) => `noise/${phase}` as const)] as const;

/** Entities per purpose: 2^26. */
const ENTITY_BITS = 26;

/**
 * A stream of random numbers.
 *
 * @param purpose  What they are for.
 * @param entity  Index of the worker or shard, below 2^26.
 * @returns  Number of the stream, below 2^32.
 */
export function stream(purpose: 'straggler' | 'loss' | 'pause' | `noise/${Phase}`, entity: number): number {
  return PURPOSES.indexOf(purpose) * 2 ** ENTITY_BITS + entity;
}
