import { checkInputShape, type Dataset } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import type { LikelihoodKind } from '@sublace/likelihoods';
import { auroc } from '@sublace/metrics';
import { familyOf } from '../families/family-of.ts';
import type { Scores } from '../families/family.ts';
import type { FittedModel } from '../posterior/fitted-model.ts';
import type { LinearisedOutputs } from '../predict/linearised-outputs.ts';

/** Scores of one predictor. */
export interface PredictorScores extends Scores {
  readonly predictor: 'MAP' | 'MAP + temperature' | 'Sublace';
  /** How well predictive entropy tells out-of-distribution inputs from these; only with such data. */
  readonly auroc?: number;
}

/** Scores of one predictor on labelled data; of a binary likelihood they are means over single answers. */
export interface ClassificationScores extends PredictorScores {
  readonly accuracy: number;
  readonly ece: number;
  readonly brier: number;
}

/** Scores of one predictor on regression data, in raw units. */
export interface RegressionScores extends PredictorScores {
  readonly rmse: number;
}

/** Scores of every predictor, side by side. */
export type Evaluation =
  | EvaluationOf<'classification', ClassificationScores>
  | EvaluationOf<'binary', ClassificationScores>
  | EvaluationOf<'regression', RegressionScores>
  | EvaluationOf<'heteroscedastic', RegressionScores>;

interface EvaluationOf<Kind extends LikelihoodKind, Each extends PredictorScores> {
  readonly likelihood: Kind;
  readonly count: number;
  readonly scores: readonly Each[];
}

/**
 * Scores the MAP, the MAP with temperature scaling (fitted on the validation data of the fit) and the linearised predictive on data.
 *
 * @param fitted  The posterior with its model.
 * @param data  Data to score, raw units.
 * @param ood  Out-of-distribution inputs for the AUROC; only where answers are discrete.
 * @returns  The scores.
 * @throws {SublaceError} DATA_INVALID when the data do not fit the model; INVALID_ARGUMENT for `ood` with a regression.
 */
export function evaluate(fitted: FittedModel, data: Dataset, ood?: Dataset): Evaluation {
  const { likelihood, model, noiseVariance, normalisation } = fitted.manifest;
  const family = familyOf(likelihood);
  if (ood && !family.entropies) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `out-of-distribution data: expected a posterior over classes or binary answers, got one for ${likelihood}`,
    );
  }
  const dataset = checkInputShape(data, fitted.inputShape);
  const facts = { outputCount: model.outputCount, noiseVariance, normalisation };
  const targets = family.targetsOf(dataset, { outputCount: model.outputCount });
  const inside = predictors(fitted, dataset);
  const outside = ood && predictors(fitted, checkInputShape(ood, fitted.inputShape));
  const scores = inside.map(({ predictor, moments }, i): PredictorScores => {
    const entropies = outside && [moments, outside[i].moments].map((each) => family.entropies?.(each, facts) ?? []);
    return { predictor, ...family.scores(moments, targets, facts), ...(entropies && { auroc: auroc(entropies[0], entropies[1]) }) };
  });
  return { likelihood, count: data.count, scores } as Evaluation;
}

/** Moments of the outputs as each predictor sees them; without validation data in the fit there is no temperature. */
function predictors(fitted: FittedModel, dataset: Dataset): { predictor: PredictorScores['predictor']; moments: LinearisedOutputs }[] {
  const { mapTemperature } = fitted.manifest;
  const moments = fitted.outputs(dataset.inputs, dataset.count);
  const variance = new Float64Array(moments.variance.length);
  return [
    { predictor: 'MAP', moments: { mean: moments.mean, variance } },
    ...(mapTemperature === null
      ? []
      : [{ predictor: 'MAP + temperature' as const, moments: { mean: moments.mean.map((value) => value / mapTemperature), variance } }]),
    { predictor: 'Sublace', moments },
  ];
}
