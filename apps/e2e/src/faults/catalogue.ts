import { coordinatorFaults } from './coordinator-faults.ts';
import type { Fault } from './fault.ts';
import { workerFaults } from './worker-faults.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [...workerFaults, ...coordinatorFaults];
