import { invalid } from '../client-error.ts';
import { answeredBy, rowsOf, type Answered, type ExampleAsker, type TaskOptions } from './ask.ts';
import type { Examples } from './examples.ts';
import { standardNormalQuantile } from './normal-quantile.ts';

/** How to ask a regression. */
export interface RegressOptions extends TaskOptions {
  /** Probability that an observation lies in the interval. Default 0.95. */
  readonly coverage?: number;
}

/** What a regression says about one example: D values, in raw units. */
export interface RegressedExample {
  /** [D] */
  readonly mean: Float32Array;
  /** [D], of the function: the part that more data could take away. Units squared. */
  readonly variance: Float32Array;
  /** [D], of an observation around the function. Units squared. */
  readonly noiseVariance: Float32Array;
  /** [D], standard deviation of an observation: sqrt(variance + noiseVariance). */
  readonly std: Float32Array;
  /** [D] each: the central interval that holds an observation with the probability asked for, mean +- z std. */
  readonly interval: { readonly lower: Float32Array; readonly upper: Float32Array };
}

/** What a model says about examples. */
export interface Regression extends Answered {
  readonly examples: readonly RegressedExample[];
}

/**
 * Asks a regression about examples.
 *
 * @param asker  Sends the request.
 * @param model  Name of the model.
 * @param examples  N of them.
 * @param options  Coverage.
 * @returns  One answer for each example.
 * @throws SublaceClientError.
 */
export async function regress(asker: ExampleAsker, model: string, examples: Examples, options: RegressOptions): Promise<Regression> {
  const { coverage = 0.95 } = options;
  if (!(coverage > 0 && coverage < 1)) throw invalid(`coverage: expected a probability between 0 and 1, got ${coverage}`);
  const { result, count } = await asker.ask(model, examples, ['mean', 'variance', 'noise_variance', 'std'], {}, options);
  const [means, variances, noiseVariances, stds] = ['mean', 'variance', 'noise_variance', 'std'].map((name) => rowsOf(result, name, count));
  const z = standardNormalQuantile((1 + coverage) / 2);
  const example = (n: number): RegressedExample => {
    const [mean, std] = [means[n], stds[n]];
    const interval = { lower: mean.map((value, d) => value - z * std[d]), upper: mean.map((value, d) => value + z * std[d]) };
    return { mean, variance: variances[n], noiseVariance: noiseVariances[n], std, interval };
  };
  return { ...answeredBy(result), examples: Array.from({ length: count }, (_, n) => example(n)) };
}
