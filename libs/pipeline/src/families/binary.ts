import { checkTargetValues } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { bernoulli } from '@sublace/likelihoods';
import { accuracy, brier, ece, fitTemperature, meanLogLikelihood, predictiveEntropy } from '@sublace/metrics';
import { SIGMOID_LINKS, sigmoidMutualInformation, sigmoidProbabilities, type LinkOptions, type SigmoidLink } from '@sublace/predictive';
import { covarianceOf, type LinearisedOutputs } from '../predict/linearised-outputs.ts';
import type { Family } from './family.ts';
import { LOGIT_OUTPUTS, logitOutputNeeds, logitOutputShape, tempered } from './logit-outputs.ts';

/** Answers of yes or no, one (binary classification) or several (multi-label): a sigmoid over each logit. Scores are means over answers. */
export const binary: Family = {
  kind: 'binary',
  targetUse: 'binary',
  outputNames: LOGIT_OUTPUTS,
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

  needs: (name) => logitOutputNeeds(name, 'variance', 'variance'),

  outputShape: logitOutputShape,

  rawOutputs: (outputCount) => ({ scales: new Array<number>(outputCount).fill(1), shifts: new Array<number>(outputCount).fill(0) }),

  predict(moments, { outputCount }, link, knobs) {
    const scaled = tempered(moments, knobs.temperature);
    let found: Float64Array | undefined;
    const pairs = (): Float64Array => (found ??= pairsOf(scaled, outputCount, link as SigmoidLink, knobs));
    return (name) => {
      switch (name) {
        case 'probabilities':
          return yesOf(pairs());
        case 'logit_variance':
          return moments.variance;
        case 'entropy':
          return entropyOf(pairs(), outputCount);
        case 'logits':
          return moments.mean;
        case 'map_probabilities':
          return yesOf(pairsOf(withoutVariance(scaled), outputCount));
        case 'logit_covariance':
          return covarianceOf(moments, name);
        default:
          return informationOf(scaled, outputCount, knobs);
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

/** [N]: the sum over the answers of an example, whose draws are those of the Monte Carlo link. */
function informationOf({ mean, variance }: LinearisedOutputs, outputCount: number, options: LinkOptions): Float64Array {
  return Float64Array.from({ length: mean.length / outputCount }, (_, n) => {
    const [start, end] = [n * outputCount, (n + 1) * outputCount];
    const logits = { mean: mean.subarray(start, end), variance: variance.subarray(start, end) };
    return sigmoidMutualInformation(logits, { ...options, seed: (options.seed ?? 0) + n });
  });
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
