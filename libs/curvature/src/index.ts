export { DiagonalAccumulator } from './diagonal-ggn.ts';
export { GgnAccumulator } from './ggn.ts';
export { jacobianColumns, jacobianRows } from './jacobian-rows.ts';
export { microBatchSize } from './micro-batch.ts';
export { identitySeeds, squareRootSeeds } from './seeds.ts';
