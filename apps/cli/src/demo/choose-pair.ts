import { loadDataset, type Dataset } from '@sublace/data';
import type { FittedModel } from '@sublace/pipeline';

/** An image to ask about. */
export interface DemoImage {
  readonly title: string;
  /** [28, 28, 1], raw 0..255. */
  readonly pixels: Float32Array;
  readonly inputShape: readonly number[];
  readonly label: number;
}

/** How far the second image is turned. */
const DEGREES = 90;

/** How sure a mistake must be to be worth asking about. */
const CONFIDENCE_MIN = 0.95;

/**
 * The first test image that the MAP gets right and, turned, gets wrong while sure of it; where there is none, the surest mistake.
 *
 * @param fitted  The posterior with its model.
 * @param test  SPEC of the upright test images.
 * @returns  The upright and the turned image.
 */
export async function choosePair(fitted: FittedModel, test: string): Promise<[DemoImage, DemoImage]> {
  const upright = await loadDataset(test);
  const turned = await loadDataset(`${test}&rotate=${DEGREES}`);
  const classCount = fitted.manifest.model.outputCount;
  const probabilities = (data: Dataset): Float64Array =>
    fitted.predict(data.inputs, data.count, { outputs: ['map_probabilities'] })[0].data;
  const [before, after] = [probabilities(upright), probabilities(turned)];
  const labels = upright.targets.kind === 'labels' ? upright.targets.labels : new Int32Array();
  let chosen = 0;
  let mostSure = 0;
  for (let n = 0; n < upright.count; n++) {
    const top = (values: Float64Array): number => {
      const row = values.subarray(n * classCount, (n + 1) * classCount);
      return row.indexOf(row.reduce((a, b) => Math.max(a, b), 0));
    };
    const guess = top(after);
    const confidence = after[n * classCount + guess];
    if (top(before) === labels[n] && guess !== labels[n] && confidence > mostSure) [chosen, mostSure] = [n, confidence];
    if (mostSure > CONFIDENCE_MIN) break;
  }
  const size = upright.inputs.length / upright.count;
  const image = (title: string, data: Dataset): DemoImage => ({
    title,
    pixels: data.inputs.slice(chosen * size, (chosen + 1) * size),
    inputShape: data.inputShape,
    label: labels[chosen],
  });
  return [image('upright', upright), image(`turned by ${DEGREES} degrees`, turned)];
}
