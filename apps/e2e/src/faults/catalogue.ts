import { clockFaults } from './clock-faults.ts';
import { coordinatorFaults } from './coordinator-faults.ts';
import { diskFaults } from './disk-faults.ts';
import { duplicateFaults } from './duplicate-faults.ts';
import type { Fault } from './fault.ts';
import { networkFaults } from './network-faults.ts';
import { randomFaults } from './random-faults.ts';
import { redisFaults } from './redis-faults.ts';
import { reducerFaults } from './reducer-faults.ts';
import { workerFaults } from './worker-faults.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  ...workerFaults,
  ...duplicateFaults,
  ...coordinatorFaults,
  ...reducerFaults,
  ...redisFaults,
  ...networkFaults,
  ...diskFaults,
  ...clockFaults,
  ...randomFaults,
];
