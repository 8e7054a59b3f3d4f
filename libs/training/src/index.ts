export type { ArchitectureOptions } from './architectures/architecture.ts';
export { ARCHITECTURES, buildArchitecture } from './architectures/build-architecture.ts';
export { checkExamples, takeExamples, type Examples, type TrainingTargets } from './examples.ts';
export { computeOutputs, evaluateModel, type Evaluation } from './evaluation.ts';
export { maximumLikelihoodNoiseVariance } from './noise-variance.ts';
export { impliedPriorPrecision } from './objective.ts';
export { restoreLayersModel, saveLayersModel, type SavedLayersModel } from './save-layers-model.ts';
export { trainMap, type EpochRecord, type TrainingProgress, type TrainingResult } from './train-map.ts';
export { compileTrainingOptions, type TrainingOptions } from './training-options.ts';
