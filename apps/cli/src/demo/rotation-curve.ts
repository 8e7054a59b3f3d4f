import { loadDataset } from '@sublace/data';
import { evaluate, type ClassificationScores, type FittedModel } from '@sublace/pipeline';

/** Scores of every predictor at one angle. */
export interface RotationPoint {
  readonly degrees: number;
  readonly scores: readonly ClassificationScores[];
}

/** As in the paper's figure: 0 to 180 degrees in steps of 15. */
const ANGLES = Array.from({ length: 13 }, (_, i) => 15 * i);

/**
 * Scores the MAP and the posterior on test images turned further and further away from the training data.
 *
 * @param fitted  The posterior with its model.
 * @param test  SPEC of the upright test images.
 * @param onProgress  Told the degrees done, of 180.
 * @returns  One point per angle.
 */
export async function rotationCurve(
  fitted: FittedModel,
  test: string,
  onProgress: (done: number, total: number) => void,
): Promise<RotationPoint[]> {
  const points: RotationPoint[] = [];
  for (const degrees of ANGLES) {
    const evaluation = evaluate(fitted, await loadDataset(`${test}&rotate=${degrees}`));
    if (evaluation.likelihood === 'classification') points.push({ degrees, scores: evaluation.scores });
    onProgress(degrees, 180);
  }
  return points;
}
