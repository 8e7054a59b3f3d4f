export { modelJsonPath, readModelFiles } from './model/model-files.ts';
export { METADATA_NAME, readModelMetadata, type ModelMetadata } from './model/model-metadata.ts';
export { modelDigest, openModel, type Model } from './model/open-model.ts';
export { saveModel } from './model/save-model.ts';
export { trainModel, type TrainModelOptions, type TrainedModel } from './model/train-model.ts';

export { collectModelSwag, type ModelSwagOptions } from './swag/collect-model-swag.ts';
export { SWAG_FILES, type SwagRecord } from './swag/swag-file.ts';

export { continuedFitSpec, type ContinuedFitInput } from './fit/continue-fit.ts';
export { compileFitSpec, sizeOfRule, type FitSpec, type FitSpecInput, type PriorMethod } from './fit/fit-spec.ts';
export type { FitPlan, FitSelection, FitTask, FitTaskResult, OnProgress } from './fit/fit-task.ts';
export { memoryOfFit } from './fit/feasibility.ts';
export { machineMemory, memoryPlan, type MemoryNeed, type MemoryPlan, type MemoryProblem } from './fit/memory-plan.ts';
export { runFitTask } from './fit/run-fit-task.ts';
export { preflightFit, type FitPreflight, type FitWorkers } from './preflight/preflight-fit.ts';
export type { PhaseEstimate } from './preflight/fit-estimate.ts';

export { familyOf } from './families/family-of.ts';
export type { Family, MomentsNeeded, PredictedOutput, PredictKnobs, PredictiveFacts, Scores } from './families/family.ts';
export type { NoiseVariance } from './families/noise-variance.ts';
export { FittedModel, openPosterior } from './posterior/fitted-model.ts';
export { mergePosteriors, type MergeOptions } from './posterior/merge-posteriors.ts';
export { memoryOfPosterior, type PosteriorMemory, type PosteriorSizes, type PosteriorUse } from './posterior/posterior-memory.ts';
export { readPosteriorManifest, type CovariancePath, type OpenOptions } from './posterior/read-posterior.ts';
export { truncatePosterior, type TruncateOptions } from './truncate/truncate-posterior.ts';
export type { ErrorSummary, TruncationFacts } from './truncate/truncation-facts.ts';
export { POSTERIOR_KIND, type PosteriorManifest } from './posterior/posterior-manifest.ts';
export { SEQUENCE_KIND, type SequenceManifest } from './posterior/posterior-sequence.ts';
export { JOINT_OUTPUTS, type PredictOptions, type PredictRequest } from './predict/request-plan.ts';
export type { LinearisedOutputs } from './predict/linearised-outputs.ts';
export { probabilitiesOf } from './predict/probabilities.ts';
export { evaluate, type ClassificationScores, type Evaluation, type PredictorScores, type RegressionScores } from './evaluate/evaluate.ts';
