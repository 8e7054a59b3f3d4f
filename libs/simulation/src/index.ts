export { compileSimulation, type SimulationInput, type SimulationOptions, type TaskLoad } from './options.ts';
export { tileShares } from './tile-shares.ts';
export { simulate } from './simulate.ts';
export { simulateScaling, type ScalingRow } from './simulate-scaling.ts';
export type { LinkReport, SimulationReport, StageReport } from './report.ts';
export { ACTIVITIES, STAGES, type Activity, type Stage } from './time-ledger.ts';
export type { MeasuredRun, MeasuredStage } from './measured-run.ts';
export { fitCostModel, predictCost, pullRate, type CostFit, type CostModel, type Prediction, type StageCost } from './cost-model.ts';
export { calibrate } from './calibrate.ts';
