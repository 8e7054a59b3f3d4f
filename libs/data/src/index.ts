export { inputSize, type Dataset, type Split, type Targets } from './dataset.ts';
export { loadDataset, type LoadOptions } from './load.ts';
export type { TargetUse } from './readers/from-tensors.ts';
export { parseDataSpec, KNOWN_NAMES, type DataSpec, type SpecKeys } from './spec.ts';
export { dataCache, dataDirectories, findDataset } from './data-directory.ts';
export { downloadDataset, type DownloadOptions, type DownloadProgress } from './download/download-dataset.ts';
export { DOWNLOADABLE } from './download/catalogue.ts';

export { takeExamples, sliceDataset, splitRows, splitValidation, type ValidationSplit } from './subsets.ts';
export {
  fitNormalisation,
  normaliseInputs,
  normaliseTargets,
  denormaliseMeans,
  denormaliseVariances,
  type Normalisation,
} from './normalisation.ts';
export { rotateImages } from './rotate.ts';
export { checkFinite, checkInputShape, checkLabels, checkTargetValues } from './checks.ts';
export { datasetDigest } from './digest.ts';
export { createRandom, type Random } from './random.ts';
export { toy1dMean } from './generators/toy-1d.ts';

export { readCsv, type CsvOptions } from './readers/csv.ts';
export { readIdx } from './readers/idx.ts';
