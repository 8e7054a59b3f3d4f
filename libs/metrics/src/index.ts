export { meanLogLikelihood, accuracy, brier, ece, PROBABILITY_FLOOR } from './classification.ts';
export { predictiveEntropy } from './entropy.ts';
export { auroc } from './auroc.ts';
export { rmse, gaussianLogLikelihood } from './regression.ts';
export { softmax, logSoftmax } from './softmax.ts';
export { fitTemperature, type TemperatureFit } from './temperature.ts';
export type { NumberArray } from './check-shapes.ts';
