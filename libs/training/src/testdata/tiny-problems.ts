import type { Examples } from '../examples.ts';
import { seededRandom } from '../shuffle.ts';

/** Standard normal numbers by the Box-Muller transform. */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Three overlapping Gaussian blobs in the plane, one class each. */
export function blobs(count: number, seed: number): Examples {
  const normal = seededNormal(seed);
  const labels = Int32Array.from({ length: count }, (_, n) => n % 3);
  const centres = [
    [0, 2],
    [2, -1],
    [-2, -1],
  ];
  const inputs = Float32Array.from({ length: 2 * count }, (_, index) => centres[labels[index >> 1]][index & 1] + normal());
  return { count, inputShape: [2], inputs, targets: { kind: 'labels', labels, classCount: 3 } };
}

/** Regression: y = sin(2 x) + noise of standard deviation 0.1, x in [-2, 2]. */
export function sine(count: number, seed: number): Examples {
  const random = seededRandom(seed);
  const normal = seededNormal(seed + 1);
  const inputs = Float32Array.from({ length: count }, () => 4 * random() - 2);
  return {
    count,
    inputShape: [1],
    inputs,
    targets: { kind: 'values', values: inputs.map((x) => Math.sin(2 * x) + 0.1 * normal()), width: 1 },
  };
}

/** Noisy images [side, side, channels] with a bright bar: upright is class 0, level is class 1. */
export function bars(count: number, side: number, channels: number, seed: number): Examples {
  const random = seededRandom(seed);
  const labels = Int32Array.from({ length: count }, (_, n) => n % 2);
  const inputs = new Float32Array(count * side * side * channels);
  for (let n = 0; n < count; n++) {
    const bar = Math.floor(random() * side);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const isBright = (labels[n] === 0 ? x : y) === bar;
        for (let c = 0; c < channels; c++) inputs[((n * side + y) * side + x) * channels + c] = (isBright ? 2 : 0) + random() - 0.5;
      }
    }
  }
  return { count, inputShape: [side, side, channels], inputs, targets: { kind: 'labels', labels, classCount: 2 } };
}
