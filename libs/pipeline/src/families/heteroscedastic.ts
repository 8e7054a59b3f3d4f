import { SublaceError } from '@sublace/errors';
import { heteroscedastic as likelihood } from '@sublace/likelihoods';
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

/** Values with Gaussian noise that depends on the input: T means, then T log variances. Scores are means over values. */
export const heteroscedastic: Family = {
  kind: 'heteroscedastic',
  targetUse: 'regression',
  outputNames: GAUSSIAN_OUTPUTS,
  defaultOutputs: ['mean', 'variance', 'noise_variance'],
  links: [],
  hasNoise: false,

  likelihood: () => likelihood,

  checkNetwork({ outputCount, outputActivation }) {
    if (outputActivation === 'linear' && outputCount % 2 === 0) return;
    const got = outputActivation === 'linear' ? `${outputCount} outputs` : `one that ends in ${outputActivation}`;
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      `heteroscedastic: expected a model that ends in means and as many log variances, got ${got}; train one with --likelihood heteroscedastic`,
    );
  },

  targetsOf: (dataset, { outputCount, normalisation }) => gaussianTargets(dataset, outputCount / 2, normalisation),

  needs: (name) => (name === 'mean' ? 'mean' : 'variance'),

  outputShape: (_, outputCount) => [outputCount / 2],

  /** A variance in other units is multiplied, so its logarithm is shifted. */
  rawOutputs(outputCount, { targetMean = [0], targetStd = [1] }) {
    const width = outputCount / 2;
    const at = (values: readonly number[], c: number): number => values[c % values.length];
    return {
      scales: Array.from({ length: outputCount }, (_, c) => (c < width ? at(targetStd, c) : 1)),
      shifts: Array.from({ length: outputCount }, (_, c) => (c < width ? at(targetMean, c) : 2 * Math.log(at(targetStd, c - width)))),
    };
  },

  predict(moments, facts) {
    const predictive = predictiveOf(moments, facts);
    return (name) => gaussianOutput(predictive, name);
  },

  scores: (moments, targets, facts) => gaussianScores(predictiveOf(moments, facts), targets),

  meanNll: (moments, targets, facts) => gaussianNll(predictiveOf(moments, facts), targets),
};

/**
 * The Gaussian with the moments of y = m + exp(s / 2) e for Gaussian m and s: its noise is the mean of exp(s), exp(s_mean + s_variance / 2).
 */
function predictiveOf({ mean, variance }: LinearisedOutputs, facts: PredictiveFacts): GaussianPredictive {
  const width = facts.outputCount / 2;
  const count = mean.length / facts.outputCount;
  const each = (value: (at: number) => number): Float64Array =>
    Float64Array.from({ length: count * width }, (_, i) => value(Math.floor(i / width) * facts.outputCount + (i % width)));
  const predictive = {
    mean: each((at) => mean[at]),
    variance: each((at) => variance[at]),
    noise: each((at) => Math.exp(mean[at + width] + variance[at + width] / 2)),
  };
  return inRawUnits(predictive, facts);
}
