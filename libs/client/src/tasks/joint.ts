import { unexpected } from '../client-error.ts';
import { answeredBy, type Answered, type ExampleAsker, type TaskOptions } from './ask.ts';
import type { Examples } from './examples.ts';

/** How the C outputs of a network at N examples move together. */
export interface JointCovariance extends Answered {
  /** N */
  readonly exampleCount: number;
  /** C */
  readonly outputCount: number;
  /** [N C, N C] row-major, symmetric: row n C + c is output c of example n. Of logits, or of values in raw units. */
  readonly covariance: Float32Array;
}

/** How to draw functions. */
export interface FunctionSamplesOptions extends TaskOptions {
  /** How many functions. Default 10. */
  readonly samples?: number;
  /** The same seed and number draw the same functions. Default 0. */
  readonly seed?: number;
}

/** Values of functions drawn from the posterior, at N examples. */
export interface FunctionSamples extends Answered {
  /** N */
  readonly exampleCount: number;
  /** C */
  readonly outputCount: number;
  /** K functions, each [N, C] row-major: its outputs at all examples. Logits, or values in raw units. */
  readonly functions: readonly Float32Array[];
}

/**
 * Asks how the outputs at examples move together, for active learning.
 *
 * @param asker  Sends the request.
 * @param model  Name of the model.
 * @param examples  N of them.
 * @param options  Version, deadline.
 * @returns  One covariance matrix.
 * @throws SublaceClientError.
 */
export async function jointCovariance(
  asker: ExampleAsker,
  model: string,
  examples: Examples,
  options: TaskOptions,
): Promise<JointCovariance> {
  const { result, count } = await asker.ask(model, examples, ['joint_covariance'], {}, options);
  const { data, shape } = result.output('joint_covariance', 'FP32');
  const [exampleCount, outputCount] = shape;
  if (shape.length !== 4 || exampleCount !== count) {
    throw unexpected(`output 'joint_covariance': expected shape [${count}, C, ${count}, C], got [${shape.join(', ')}]`);
  }
  return { ...answeredBy(result), exampleCount, outputCount, covariance: data };
}

/**
 * Draws functions from the posterior and asks for their values at examples.
 *
 * @param asker  Sends the request.
 * @param model  Name of the model.
 * @param examples  N of them.
 * @param options  How many, seed.
 * @returns  The functions.
 * @throws SublaceClientError.
 */
export async function functionSamples(
  asker: ExampleAsker,
  model: string,
  examples: Examples,
  options: FunctionSamplesOptions,
): Promise<FunctionSamples> {
  const { samples, seed } = options;
  const { result, count } = await asker.ask(model, examples, ['samples'], { samples, seed }, options);
  const { data, shape } = result.output('samples', 'FP32');
  const [exampleCount, functionCount, outputCount] = shape;
  if (shape.length !== 3 || exampleCount !== count) {
    throw unexpected(`output 'samples': expected shape [${count}, K, C], got [${shape.join(', ')}]`);
  }
  // On the wire the functions are side by side at each example.
  const functions = Array.from({ length: functionCount }, (_, k) =>
    Float32Array.from({ length: exampleCount * outputCount }, (_value, i) => {
      const [n, c] = [Math.floor(i / outputCount), i % outputCount];
      return data[(n * functionCount + k) * outputCount + c];
    }),
  );
  return { ...answeredBy(result), exampleCount, outputCount, functions };
}
