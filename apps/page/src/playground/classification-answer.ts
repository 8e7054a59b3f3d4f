import type { FloatTensor } from '../server/server-api.ts';

/** What a classification answers for one input. */
export interface ClassificationAnswer {
  /** Probabilities of the point estimate, [C]; null where the model does not tell them. */
  readonly map: readonly number[] | null;
  /** Probabilities of the posterior predictive, [C]. */
  readonly sublace: readonly number[];
  /** Of the predictive, nats. */
  readonly entropy: number;
  /** Part of the entropy that comes from not knowing the weights, nats; null where the model does not tell it. */
  readonly mutualInformation: number | null;
  /** Standard deviations of the logits, [C]; null where the model does not tell them. */
  readonly logitStd: readonly number[] | null;
}

/** The outputs that are asked for, where a model has them. */
export const classificationOutputs = ['probabilities', 'map_probabilities', 'entropy', 'mutual_information', 'logit_variance'];

/**
 * The answers for every input of a request.
 *
 * @param outputs  Output tensors by name.
 * @returns  One for each input. A binary model's single probability becomes two.
 */
export function classificationAnswers(outputs: ReadonlyMap<string, FloatTensor>): ClassificationAnswer[] {
  const probabilities = outputs.get('probabilities')!;
  const count = probabilities.shape[0];
  const rows = (name: string): number[][] | null => {
    const tensor = outputs.get(name);
    if (!tensor) return null;
    const size = tensor.data.length / count;
    return Array.from({ length: count }, (_, n) => Array.from(tensor.data.subarray(n * size, (n + 1) * size)));
  };
  const both = (row: number[]): number[] => (row.length === 1 ? [1 - row[0], row[0]] : row);
  const [sublace, map, entropy] = [rows('probabilities')!, rows('map_probabilities'), rows('entropy')];
  const [information, variance] = [rows('mutual_information'), rows('logit_variance')];
  return sublace.map((row, n) => ({
    sublace: both(row),
    map: map ? both(map[n]) : null,
    entropy: entropy ? entropy[n][0] : entropyOf(both(row)),
    mutualInformation: information ? information[n][0] : null,
    logitStd: variance ? variance[n].map(Math.sqrt) : null,
  }));
}

/**
 * Entropy of a distribution.
 *
 * @param probabilities  Adding up to 1.
 * @returns  Nats.
 */
export function entropyOf(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

/**
 * The most likely class.
 *
 * @param probabilities  At least one.
 * @returns  Its index and probability.
 */
export function topClass(probabilities: readonly number[]): { index: number; probability: number } {
  const probability = Math.max(...probabilities);
  return { index: probabilities.indexOf(probability), probability };
}

/** Classes that are shown at once. */
const shownMax = 10;

/**
 * The classes to show: all of them, or of many the most likely ones.
 *
 * @param answer  Of one input.
 * @returns  Indices, ascending.
 */
export function shownClasses({ sublace, map }: ClassificationAnswer): number[] {
  const all = sublace.map((_, index) => index);
  if (all.length <= shownMax) return all;
  const weight = (index: number): number => Math.max(sublace[index], map?.[index] ?? 0);
  return all
    .toSorted((a, b) => weight(b) - weight(a))
    .slice(0, shownMax)
    .toSorted((a, b) => a - b);
}
