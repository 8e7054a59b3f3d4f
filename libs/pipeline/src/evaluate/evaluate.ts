import { checkInputShape, checkLabels, denormaliseMeans, denormaliseVariances, type Dataset } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { accuracy, auroc, brier, ece, gaussianLogLikelihood, meanLogLikelihood, predictiveEntropy, rmse, softmax } from '@sublace/metrics';
import type { FittedModel } from '../posterior/fitted-model.ts';
import { probabilitiesOf } from '../predict/probabilities.ts';

/** Scores of one predictor on labelled data; natural logarithms. */
export interface ClassificationScores {
  readonly predictor: 'MAP' | 'MAP + temperature' | 'Sublace';
  readonly nll: number;
  readonly accuracy: number;
  readonly ece: number;
  readonly brier: number;
  /** How well predictive entropy tells out-of-distribution inputs from these; only with such data. */
  readonly auroc?: number;
}

/** Scores of one predictor on regression data, in raw units. */
export interface RegressionScores {
  readonly predictor: 'MAP' | 'Sublace';
  readonly nll: number;
  readonly rmse: number;
}

/** Scores of every predictor, side by side. */
export type Evaluation =
  | { readonly likelihood: 'classification'; readonly count: number; readonly scores: readonly ClassificationScores[] }
  | { readonly likelihood: 'regression'; readonly count: number; readonly scores: readonly RegressionScores[] };

/**
 * Scores the MAP, the MAP with temperature scaling (fitted on the validation data of the fit) and the linearised predictive on data.
 *
 * @param fitted  The posterior with its model.
 * @param data  Data to score, raw units.
 * @param ood  Out-of-distribution inputs for the AUROC; classification only.
 * @returns  The scores.
 * @throws {SublaceError} DATA_INVALID when the data do not fit the model.
 */
export function evaluate(fitted: FittedModel, data: Dataset, ood?: Dataset): Evaluation {
  const dataset = checkInputShape(data, fitted.inputShape);
  return fitted.manifest.likelihood === 'classification'
    ? {
        likelihood: 'classification',
        count: data.count,
        scores: classificationScores(fitted, dataset, ood && checkInputShape(ood, fitted.inputShape)),
      }
    : { likelihood: 'regression', count: data.count, scores: regressionScores(fitted, dataset) };
}

function classificationScores(fitted: FittedModel, dataset: Dataset, ood?: Dataset): ClassificationScores[] {
  const { outputCount } = fitted.manifest.model;
  checkLabels(dataset, outputCount);
  const labels = dataset.targets.kind === 'labels' ? dataset.targets.labels : new Int32Array();
  const inside = predictors(fitted, dataset);
  const outside = ood && predictors(fitted, ood);
  return inside.map(({ predictor, probabilities }, i) => ({
    predictor,
    nll: -meanLogLikelihood(probabilities, labels),
    accuracy: accuracy(probabilities, labels),
    ece: ece(probabilities, labels),
    brier: brier(probabilities, labels),
    ...(outside && {
      auroc: auroc(predictiveEntropy(probabilities, outputCount), predictiveEntropy(outside[i].probabilities, outputCount)),
    }),
  }));
}

/** Class probabilities [N, C] of each predictor; without validation data in the fit there is no temperature. */
function predictors(
  fitted: FittedModel,
  dataset: Dataset,
): { predictor: ClassificationScores['predictor']; probabilities: Float64Array }[] {
  const { model, mapTemperature } = fitted.manifest;
  const moments = fitted.outputs(dataset.inputs, dataset.count);
  return [
    { predictor: 'MAP', probabilities: softmax(moments.mean, model.outputCount) },
    ...(mapTemperature === null
      ? []
      : [{ predictor: 'MAP + temperature' as const, probabilities: softmax(moments.mean.map((value) => value / mapTemperature), model.outputCount) }]), // prettier-ignore
    { predictor: 'Sublace', probabilities: probabilitiesOf(moments, model.outputCount, 'probit') },
  ];
}

function regressionScores(fitted: FittedModel, dataset: Dataset): RegressionScores[] {
  const { normalisation, noiseVariance, model } = fitted.manifest;
  const { targets } = dataset;
  if (targets.kind !== 'values' || targets.width !== model.outputCount) {
    throw new SublaceError(
      'DATA_INVALID',
      `${dataset.name}: expected ${model.outputCount} target values per example, got ${targets.kind === 'values' ? targets.width : targets.kind}`,
    );
  }
  const moments = fitted.outputs(dataset.inputs, dataset.count);
  const mean = denormaliseMeans(moments.mean, normalisation);
  const noise = new Float64Array(mean.length).fill(noiseVariance ?? 0);
  const score = (predictor: RegressionScores['predictor'], variance: Float64Array): RegressionScores => ({
    predictor,
    nll: -gaussianLogLikelihood(mean, denormaliseVariances(variance, normalisation), targets.values),
    rmse: rmse(mean, targets.values),
  });
  return [
    score('MAP', noise),
    score(
      'Sublace',
      moments.variance.map((value, i) => value + noise[i]),
    ),
  ];
}
