import type { ProgressEvent } from '@sublace/protocol';
import type { FaultCluster } from './fault-cluster.ts';

/** Where a coordinator keeps its jobs. */
export type Store = 'embedded' | 'redis';

/** Every store that a fault can strike with. */
export const STORES: readonly Store[] = ['embedded', 'redis'];

/** What a fault ended in. */
export interface FaultReport {
  /** The last event of the job. */
  last: ProgressEvent;
  /** Why it is certain that the fault has struck: a line of a log, a count, an exit code. */
  proof: string;
}

/** A failure that a fault must end in: nothing is published then. */
export interface ClearFailure {
  code: string;
  message: RegExp;
}

/** Something that goes wrong in a cluster of real processes, and what must come of it. */
export interface Fault {
  /** Whom it strikes. */
  role: 'worker' | 'coordinator' | 'reducer' | 'redis' | 'network' | 'disk' | 'clock' | 'random';
  /** What happens. */
  name: string;
  /** When it happens. */
  moment: string;
  /** Stores that it is run with. */
  stores: readonly Store[];
  /** Whether it belongs to the selection that every change is checked with; a store: with that one only. */
  quick: boolean | Store;
  /** What counts as survived: the digest of an undisturbed fit, or a failure that says why. */
  expected: 'same digest' | ClearFailure;
  /** Why it cannot be run here, if it cannot. */
  unavailable?: () => string | undefined;
  /** Starts what it needs, lets it go wrong, and follows the job to its end. Throws when the fault did not strike. */
  run: (cluster: FaultCluster) => Promise<FaultReport>;
}

/**
 * Name of a fault in lists.
 *
 * @param fault  The fault.
 * @param store  The store it is run with.
 * @returns  One line.
 */
export function titleOf({ role, name, moment }: Fault, store: Store): string {
  return `${role}: ${name}, ${moment} (${store})`;
}
