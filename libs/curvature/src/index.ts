export { curvatureSeeds, parseCurvature, type CurvatureKind, type CurvatureSeeds, type SeededExamples } from './curvature-seeds.ts';
export { DiagonalAccumulator } from './diagonal-ggn.ts';
export { GgnAccumulator, type GgnOptions } from './ggn.ts';
export { jacobianColumns, jacobianRows } from './jacobian-rows.ts';
export { microBatchSize } from './micro-batch.ts';
export { identitySeeds, seedRows, squareRootSeeds } from './seeds.ts';
