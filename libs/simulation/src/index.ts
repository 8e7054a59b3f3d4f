export { compileSimulation, type SimulationInput, type SimulationOptions, type TaskLoad } from './options.ts';
export { tileShares } from './tile-shares.ts';
export { simulate } from './simulate.ts';
export { simulateScaling, type ScalingRow } from './simulate-scaling.ts';
export type { LinkReport, SimulationReport, StageReport } from './report.ts';
export { ACTIVITIES, STAGES, type Activity, type Stage } from './time-ledger.ts';
