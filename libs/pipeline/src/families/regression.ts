import { SublaceError } from '@sublace/errors';
import { gaussian } from '@sublace/likelihoods';
import type { LinearisedOutputs } from '../predict/linearised-outputs.ts';
import type { Family, PredictiveFacts } from './family.ts';
import {
  GAUSSIAN_OUTPUTS,
  gaussianNll,
  gaussianOutput,
  gaussianScores,
  gaussianTargets,
  inRawUnits,
  type GaussianPredictive,
} from './gaussian-outputs.ts';
import { noiseOf } from './noise-variance.ts';

/** Values with constant Gaussian noise, one variance for all outputs or one for each. Scores are means over values. */
export const regression: Family = {
  kind: 'regression',
  targetUse: 'regression',
  outputNames: GAUSSIAN_OUTPUTS,
  defaultOutputs: ['mean', 'variance'],
  links: [],
  hasNoise: true,

  likelihood: (noiseVariance) => gaussian(noiseOf(noiseVariance)),

  checkNetwork({ outputActivation }) {
    if (outputActivation === 'linear') return;
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      `regression: expected a model that ends in means, got one that ends in ${outputActivation}; fit it as ${outputActivation === 'sigmoid' ? 'binary' : 'classification'}`,
    );
  },

  targetsOf: (dataset, { outputCount, normalisation }) => gaussianTargets(dataset, outputCount, normalisation),

  needs: (name) => (name === 'mean' || name === 'noise_variance' ? 'mean' : 'variance'),

  outputShape: (_, outputCount) => [outputCount],

  rawOutputs(outputCount, { targetMean = [0], targetStd = [1] }) {
    const each = (values: readonly number[]): number[] => Array.from({ length: outputCount }, (_, c) => values[c % values.length]);
    return { scales: each(targetStd), shifts: each(targetMean) };
  },

  predict(moments, facts) {
    const predictive = predictiveOf(moments, facts);
    return (name) => gaussianOutput(predictive, name);
  },

  scores: (moments, targets, facts) => gaussianScores(predictiveOf(moments, facts), targets),

  meanNll: (moments, targets, facts) => gaussianNll(predictiveOf(moments, facts), targets),
};

/** N(f_mean, f_variance + noise) for each output. */
function predictiveOf({ mean, variance }: LinearisedOutputs, facts: PredictiveFacts): GaussianPredictive {
  const noise = noiseOf(facts.noiseVariance);
  return inRawUnits({ mean, variance, noise: Float64Array.from(mean, (_, i) => noise[i % noise.length]) }, facts);
}
