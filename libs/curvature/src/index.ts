export { curvatureSeeds, parseCurvature, type CurvatureKind, type CurvatureSeeds, type SeededExamples } from './curvature-seeds.ts';
export { DiagonalAccumulator } from './diagonal-ggn.ts';
export { GgnAccumulator, type GgnOptions } from './ggn.ts';
export { jacobianColumns } from './jacobian-columns.ts';
export { forEachPass, microBatchSize, rowsPerPass } from './micro-batch.ts';
export { packExamples, type PackedExamples } from './packed-examples.ts';
export { RowSurvey, cutRows, type RowCut } from './row-survey.ts';
export { identitySeeds, seedRows, squareRootSeeds } from './seeds.ts';
