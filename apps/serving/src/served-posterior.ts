import { SublaceError } from '@sublace/errors';
import type { OutputTensor, ParameterValue, ServedModel, TensorSpec } from './served-model.ts';

/** Ways from Gaussian logits to probabilities that a request may choose with the parameter `link`. */
const links = ['probit', 'bridge', 'bridge-normalised', 'monte-carlo'] as const;

/** Knobs of one prediction. */
export interface PredictKnobs {
  link?: (typeof links)[number];
  /** Draws of the Monte Carlo link. */
  samples?: number;
  /** Seed of those draws. */
  seed?: number;
}

/** What serving needs from a fitted model; the pipeline's FittedModel is one. */
export interface Predictor {
  readonly likelihood: 'classification' | 'regression';
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /** Classes, or output dimensions. */
  readonly outputCount: number;

  /**
   * Predicts with uncertainty.
   *
   * @param inputs  [count, ...inputShape], raw units. Borrowed.
   * @param count  Number of examples.
   * @param options  Names of outputs, and knobs.
   * @returns  For each name its values, [count, outputCount] or [count], row-major.
   */
  predict(
    inputs: Float32Array,
    count: number,
    options: PredictKnobs & { outputs: readonly string[] },
  ): Promise<Readonly<Record<string, Float32Array>>>;
}

/** Names of outputs; `perExample` ones have no second dimension. */
const outputsOf = {
  classification: { perOutput: ['probabilities', 'logit_variance', 'logits', 'map_probabilities'], perExample: ['entropy'] },
  regression: { perOutput: ['mean', 'variance', 'noise_variance', 'std'], perExample: [] },
} as const;

const defaultOutputsOf = {
  classification: ['probabilities', 'logit_variance', 'entropy'],
  regression: ['mean', 'variance'],
} as const;

/** More draws than this take longer than a client waits, and hold up everybody else. */
const samplesMax = 100_000;

/**
 * A fitted model as the protocols serve it: metadata from its shapes, request parameters as knobs.
 *
 * @param predictor  The fitted model. Borrowed.
 * @param name  Name that requests use.
 * @param properties  Facts for people who look at the metadata.
 * @returns  A model for `startServer`.
 */
export function servePosterior(predictor: Predictor, name: string, properties: Readonly<Record<string, string>>): ServedModel {
  const { likelihood, inputShape, outputCount } = predictor;
  const { perOutput, perExample } = outputsOf[likelihood];
  const outputs: TensorSpec[] = [
    ...perOutput.map((output): TensorSpec => ({ name: output, datatype: 'FP32', shape: [-1, outputCount] })),
    ...perExample.map((output): TensorSpec => ({ name: output, datatype: 'FP32', shape: [-1] })),
  ];
  return {
    name,
    version: '1',
    platform: 'sublace_laplace',
    inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, ...inputShape] }],
    outputs,
    defaultOutputs: defaultOutputsOf[likelihood],
    properties: { likelihood, ...properties },
    infer: async (input, count, names, parameters) => {
      const values = await predictor.predict(input, count, { outputs: names, ...knobsOf(parameters, likelihood) });
      return names.map((output): OutputTensor => {
        const { shape } = outputs.find((spec) => spec.name === output)!;
        return { name: output, datatype: 'FP32', shape: shape.map((size) => (size === -1 ? count : size)), data: values[output] };
      });
    },
  };
}

/**
 * Knobs of a prediction from the parameters of a request.
 *
 * @param parameters  Without the names that the protocol reserves.
 * @param likelihood  Regression has no knobs: its predictive is exact.
 * @returns  Checked knobs.
 * @throws SublaceError INVALID_ARGUMENT for an unknown name or a value out of range; a misspelt knob must not be an ignored one.
 */
export function knobsOf(parameters: Readonly<Record<string, ParameterValue>>, likelihood: Predictor['likelihood']): PredictKnobs {
  const knobs: PredictKnobs = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (likelihood === 'classification' && name === 'link') knobs.link = linkOf(value);
    else if (likelihood === 'classification' && name === 'samples') knobs.samples = wholeNumber(name, value, 1, samplesMax);
    else if (likelihood === 'classification' && name === 'seed') knobs.seed = wholeNumber(name, value, 0, 2 ** 32 - 1);
    else {
      const known = likelihood === 'classification' ? 'link, samples or seed' : 'none for a regression';
      throw new SublaceError('INVALID_ARGUMENT', `request parameters: expected ${known}, got '${name}'`);
    }
  }
  return knobs;
}

function linkOf(value: ParameterValue): (typeof links)[number] {
  const link = links.find((candidate) => candidate === value);
  if (!link) throw new SublaceError('INVALID_ARGUMENT', `parameter link: expected ${links.join(', ')}, got '${value}'`);
  return link;
}

function wholeNumber(name: string, value: ParameterValue, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SublaceError('INVALID_ARGUMENT', `parameter ${name}: expected a whole number from ${min} to ${max}, got '${value}'`);
}
