import { checkLabels } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { categorical } from '@sublace/likelihoods';
import { accuracy, brier, ece, fitTemperature, meanLogLikelihood, predictiveEntropy, softmax } from '@sublace/metrics';
import { LINKS } from '@sublace/predictive';
import { covarianceOf } from '../predict/linearised-outputs.ts';
import { mutualInformationOf, probabilitiesOf } from '../predict/probabilities.ts';
import type { Family } from './family.ts';
import { LOGIT_OUTPUTS, logitOutputNeeds, logitOutputShape, tempered } from './logit-outputs.ts';

/** One of C classes: a softmax over logits. */
export const classification: Family = {
  kind: 'classification',
  targetUse: 'classification',
  outputNames: LOGIT_OUTPUTS,
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

  needs: (name, link) => logitOutputNeeds(name, 'covariance', link === 'probit' ? 'variance' : 'covariance'),

  outputShape: logitOutputShape,

  rawOutputs: (outputCount) => ({ scales: new Array<number>(outputCount).fill(1), shifts: new Array<number>(outputCount).fill(0) }),

  predict(moments, { outputCount }, link, knobs) {
    const scaled = tempered(moments, knobs.temperature);
    let found: Float64Array | undefined;
    const probabilities = (): Float64Array => (found ??= probabilitiesOf(scaled, outputCount, link, knobs));
    return (name) => {
      switch (name) {
        case 'probabilities':
          return probabilities();
        case 'logit_variance':
          return moments.variance;
        case 'entropy':
          return predictiveEntropy(probabilities(), outputCount);
        case 'logits':
          return moments.mean;
        case 'map_probabilities':
          return softmax(scaled.mean, outputCount);
        case 'logit_covariance':
          return covarianceOf(moments, name);
        default:
          return mutualInformationOf(scaled, outputCount, knobs);
      }
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
