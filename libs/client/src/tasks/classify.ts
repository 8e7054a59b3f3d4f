import { answeredBy, rowsOf, type Answered, type ExampleAsker, type TaskOptions } from './ask.ts';
import type { Examples } from './examples.ts';

/** How Gaussian logits become probabilities. Of yes-or-no answers there are `probit` and `monte-carlo`. */
export type Link = 'probit' | 'bridge' | 'bridge-normalised' | 'monte-carlo';

/** All that can be asked about one example of C classes (or of C yes-or-no answers). */
export interface ClassificationValues {
  /** [C]; of classes they sum to 1, of yes-or-no answers each is that of yes. */
  probabilities: Float32Array;
  /** Of the probabilities, nats: how unsure the answer is, for whatever reason. */
  entropy: number;
  /** Nats: the part of the entropy that more data could take away. 0 or more. */
  mutualInformation: number;
  /** [C], variances of the logits. */
  logitVariance: Float32Array;
  /** [C], means of the logits: those of the plain network. */
  logits: Float32Array;
  /** [C, C] row-major. */
  logitCovariance: Float32Array;
  /** [C], of the plain network. */
  mapProbabilities: Float32Array;
}

/** What is answered when nothing else is asked. */
export type DefaultClassificationValue = 'probabilities' | 'entropy' | 'mutualInformation' | 'logitVariance';

/** How to classify. */
export interface ClassifyOptions<V extends keyof ClassificationValues = DefaultClassificationValue> extends TaskOptions {
  /** What to ask: mutual information costs the most, the plain network's answers the least. Default: see {@link DefaultClassificationValue}. */
  readonly values?: readonly V[];
  /** Default `probit`. */
  readonly link?: Link;
  /** Divides the logits: above 1 answers are less sure. Default 1. */
  readonly temperature?: number;
  /** Draws of the Monte Carlo link and of the mutual information. Default 1000. */
  readonly samples?: number;
  /** Seed of those draws. Default 0. */
  readonly seed?: number;
}

/** What a model says about examples. */
export interface Classification<V extends keyof ClassificationValues = DefaultClassificationValue> extends Answered {
  readonly examples: readonly Readonly<Pick<ClassificationValues, V>>[];
}

const outputNames: Readonly<Record<keyof ClassificationValues, string>> = {
  probabilities: 'probabilities',
  entropy: 'entropy',
  mutualInformation: 'mutual_information',
  logitVariance: 'logit_variance',
  logits: 'logits',
  logitCovariance: 'logit_covariance',
  mapProbabilities: 'map_probabilities',
};

const defaultValues: readonly DefaultClassificationValue[] = ['probabilities', 'entropy', 'mutualInformation', 'logitVariance'];

/** One number for each example; the others are arrays. */
const scalars: ReadonlySet<string> = new Set<keyof ClassificationValues>(['entropy', 'mutualInformation']);

/**
 * Asks a classification (or a binary model) about examples.
 *
 * @param asker  Sends the request.
 * @param model  Name of the model.
 * @param examples  N of them.
 * @param options  What to ask, knobs.
 * @returns  One answer for each example.
 * @throws SublaceClientError.
 */
export async function classify<V extends keyof ClassificationValues = DefaultClassificationValue>(
  asker: ExampleAsker,
  model: string,
  examples: Examples,
  options: ClassifyOptions<V>,
): Promise<Classification<V>> {
  const { link, temperature, samples, seed } = options;
  const values: readonly (keyof ClassificationValues)[] = options.values ?? defaultValues;
  const knobs = { link, temperature, samples, seed };
  const { result, count } = await asker.ask(
    model,
    examples,
    values.map((value) => outputNames[value]),
    knobs,
    options,
  );
  const columns = values.map((value) => ({ value, rows: rowsOf(result, outputNames[value], count) }));
  const example = (n: number): Pick<ClassificationValues, V> =>
    Object.fromEntries(columns.map(({ value, rows }) => [value, scalars.has(value) ? rows[n][0] : rows[n]])) as Pick<
      ClassificationValues,
      V
    >;
  return { ...answeredBy(result), examples: Array.from({ length: count }, (_, n) => example(n)) };
}

/**
 * The most probable class.
 *
 * @param probabilities  [C].
 * @returns  Its index; of several, the first.
 */
export function topClass(probabilities: ArrayLike<number>): number {
  let top = 0;
  for (let c = 1; c < probabilities.length; c += 1) if (probabilities[c] > probabilities[top]) top = c;
  return top;
}
