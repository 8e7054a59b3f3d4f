import { checkTargetValues } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { bernoulli } from '@sublace/likelihoods';
import { accuracy, brier, ece, fitTemperature, meanLogLikelihood, predictiveEntropy } from '@sublace/metrics';
import { SIGMOID_LINKS, sigmoidProbabilities, type LinkOptions, type SigmoidLink } from '@sublace/predictive';
import type { LinearisedOutputs } from '../predict/linearised-outputs.ts';
import type { Family } from './family.ts';

/** Answers of yes or no, one (binary classification) or several (multi-label): a sigmoid over each logit. Scores are means over answers. */
export const binary: Family = {
  kind: 'binary',
  targetUse: 'binary',
  outputNames: ['probabilities', 'logit_variance', 'entropy', 'logits', 'map_probabilities'],
  defaultOutputs: ['probabilities', 'logit_variance', 'entropy'],
  links: SIGMOID_LINKS,
  hasNoise: false,

  likelihood: () => bernoulli,

  checkNetwork({ outputActivation }) {
    if (outputActivation !== 'softmax') return;
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      'binary: expected a model that ends in logits or sigmoid, got one that ends in softmax; fit it as classification',
    );
  },

  targetsOf: (dataset, { outputCount }) => checkTargetValues(dataset, 'flags', outputCount),

  needsCovariance: () => false,

  outputShape: (name, outputCount) => (name === 'entropy' ? [] : [outputCount]),

  rawOutputs: (outputCount) => ({ scales: new Array<number>(outputCount).fill(1), shifts: new Array<number>(outputCount).fill(0) }),

  predict(moments, { outputCount }, link, options) {
    const pairs = pairsOf(moments, outputCount, link as SigmoidLink, options);
    return (name) => {
      switch (name) {
        case 'probabilities':
          return yesOf(pairs);
        case 'logit_variance':
          return moments.variance;
        case 'entropy':
          return entropyOf(pairs, outputCount);
        case 'logits':
          return moments.mean;
        default:
          return yesOf(pairsOf(withoutVariance(moments), outputCount));
      }
    };
  },

  scores(moments, targets, { outputCount }) {
    const pairs = pairsOf(moments, outputCount);
    return {
      nll: -meanLogLikelihood(pairs, targets),
      accuracy: accuracy(pairs, targets),
      ece: ece(pairs, targets),
      brier: brier(pairs, targets) / 2, // (p - y)^2: of two classes it is counted once
    };
  },

  meanNll: (moments, targets, { outputCount }) => -meanLogLikelihood(pairsOf(moments, outputCount), targets),

  entropies: (moments, { outputCount }) => entropyOf(pairsOf(moments, outputCount), outputCount),

  /** A sigmoid is a softmax over two classes whose first logit is 0. */
  fitTemperature(outputs, targets) {
    return fitTemperature(
      Float64Array.from({ length: 2 * outputs.length }, (_, i) => (i % 2 === 0 ? 0 : outputs[(i - 1) / 2])),
      targets,
    ).temperature;
  },
};

/** Probabilities of no and of yes, [N C, 2]: every answer as a classification of two classes. Example n draws by seed + n. */
function pairsOf(
  { mean, variance }: LinearisedOutputs,
  outputCount: number,
  link: SigmoidLink = 'probit',
  options: LinkOptions = {},
): Float64Array {
  const pairs = new Float64Array(2 * mean.length);
  for (let start = 0; start < mean.length; start += outputCount) {
    const logits = { mean: mean.subarray(start, start + outputCount), variance: variance.subarray(start, start + outputCount) };
    pairs.set(sigmoidProbabilities(link, logits, { ...options, seed: (options.seed ?? 0) + start / outputCount }), 2 * start);
  }
  return pairs;
}

function withoutVariance({ mean }: LinearisedOutputs): LinearisedOutputs {
  return { mean, variance: new Float64Array(mean.length) };
}

function yesOf(pairs: Float64Array): Float64Array {
  return Float64Array.from({ length: pairs.length / 2 }, (_, i) => pairs[2 * i + 1]);
}

/** [N]: the answers of an example are independent, so their entropies add. */
function entropyOf(pairs: Float64Array, outputCount: number): Float64Array {
  const single = predictiveEntropy(pairs, 2);
  return Float64Array.from({ length: single.length / outputCount }, (_, n) =>
    single.subarray(n * outputCount, (n + 1) * outputCount).reduce((sum, value) => sum + value, 0),
  );
}
