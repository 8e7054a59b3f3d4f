import { checkLabels } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { categorical } from '@sublace/likelihoods';
import { accuracy, brier, ece, fitTemperature, meanLogLikelihood, predictiveEntropy, softmax } from '@sublace/metrics';
import { LINKS } from '@sublace/predictive';
import { probabilitiesOf } from '../predict/probabilities.ts';
import type { Family } from './family.ts';

/** One of C classes: a softmax over logits. */
export const classification: Family = {
  kind: 'classification',
  targetUse: 'classification',
  outputNames: ['probabilities', 'logit_variance', 'entropy', 'logits', 'map_probabilities'],
  defaultOutputs: ['probabilities', 'logit_variance', 'entropy'],
  links: LINKS,
  hasNoise: false,

  likelihood: () => categorical,

  checkNetwork({ outputCount, outputActivation }) {
    if (outputActivation === 'sigmoid') {
      throw new SublaceError(
        'MODEL_UNSUPPORTED',
        'classification: expected a model that ends in logits or softmax, got one that ends in sigmoid; fit it as binary',
      );
    }
    if (outputCount >= 2) return;
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      `classification: expected a model with two or more logits, got ${outputCount} output; fit it as binary, or use a softmax over two classes`,
    );
  },

  targetsOf(dataset, { outputCount }) {
    checkLabels(dataset, outputCount);
    return (dataset.targets as { labels: Int32Array }).labels;
  },

  needsCovariance: (link) => link !== 'probit',

  outputShape: (name, outputCount) => (name === 'entropy' ? [] : [outputCount]),

  rawOutputs: (outputCount) => ({ scales: new Array<number>(outputCount).fill(1), shifts: new Array<number>(outputCount).fill(0) }),

  predict(moments, { outputCount }, link, options) {
    const probabilities = probabilitiesOf(moments, outputCount, link, options);
    return (name) => {
      if (name === 'entropy') return predictiveEntropy(probabilities, outputCount);
      return { probabilities, logit_variance: moments.variance, logits: moments.mean }[name] ?? softmax(moments.mean, outputCount);
    };
  },

  scores(moments, targets, { outputCount }) {
    const probabilities = probabilitiesOf(moments, outputCount, 'probit');
    return {
      nll: -meanLogLikelihood(probabilities, targets),
      accuracy: accuracy(probabilities, targets),
      ece: ece(probabilities, targets),
      brier: brier(probabilities, targets),
    };
  },

  meanNll: (moments, targets, { outputCount }) => -meanLogLikelihood(probabilitiesOf(moments, outputCount, 'probit'), targets),

  entropies: (moments, { outputCount }) => predictiveEntropy(probabilitiesOf(moments, outputCount, 'probit'), outputCount),

  fitTemperature: (outputs, targets) => fitTemperature(outputs, targets).temperature,
};
