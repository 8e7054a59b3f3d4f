import { SublaceError } from '@sublace/errors';
import { familyOf, type Family, type FittedModel, type PosteriorManifest, type PredictOptions } from '@sublace/pipeline';
import type { Link } from '@sublace/predictive';
import type { JsonObject } from '@sublace/scheduling';
import type { LoadedModel, ModelAnswer, ModelRequest, OutputTensor, ParameterValue, TensorSpec } from '../models/model.ts';

/** What serving needs of a fitted model. */
export type Predictor = Pick<FittedModel, 'inputShape' | 'predict' | 'dispose'> & {
  readonly manifest: Pick<PosteriorManifest, 'digest' | 'effectiveDimension' | 'likelihood' | 'model' | 'priorPrecision' | 'subnetwork'>;
};

/** Knobs that a request may turn. */
export type PredictKnobs = Pick<PredictOptions, 'link' | 'samples' | 'seed'>;

const samplesMax = 100_000;

/** More draws than this for one request take longer than a client waits, and hold up everybody else. */
const drawsMax = 10_000_000;

/**
 * A fitted model as the protocols serve it: metadata from its manifest, request parameters as knobs.
 *
 * @param fitted  The fitted model, which the result then owns.
 * @returns  A model.
 */
export function posteriorModel(fitted: Predictor): LoadedModel {
  const { likelihood, model } = fitted.manifest;
  const family = familyOf(likelihood);
  // Samples have a shape that a request chooses, which metadata cannot promise.
  const outputs = [...family.outputNames, 'joint_covariance'].map((output): TensorSpec => {
    return { name: output, datatype: 'FP32', shape: shapeOf(output, family, model.outputCount) };
  });
  return {
    description: {
      platform: 'sublace_laplace',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, ...fitted.inputShape] }],
      outputs,
      defaultOutputs: family.defaultOutputs,
      properties: propertiesOf(fitted.manifest),
      card: {} satisfies JsonObject,
      memoryBytes: 0,
    },
    infer: (requests) => Promise.resolve(requests.map((request) => answer(fitted, request))),
    dispose: () => {
      fitted.dispose();
      return Promise.resolve();
    },
  };
}

function answer(fitted: Predictor, { input, count, outputs, parameters }: ModelRequest): ModelAnswer {
  try {
    const knobs = knobsOf(parameters, fitted.manifest.likelihood);
    checkDraws(knobs, count);
    const predicted = fitted.predict(input, count, { outputs, ...knobs });
    return {
      outputs: predicted.map(({ name, shape, data }): OutputTensor => {
        return { name, datatype: 'FP32', shape: [...shape], data: Float32Array.from(data) };
      }),
    };
  } catch (error) {
    const { code, message } = SublaceError.from(error);
    return { error: { code, message } };
  }
}

/** Of an output, with -1 for the examples of a request. */
function shapeOf(output: string, family: Family, outputCount: number): number[] {
  if (output === 'joint_covariance') return [-1, outputCount, -1, outputCount];
  return [-1, ...family.outputShape(output, outputCount)];
}

function propertiesOf({
  digest,
  effectiveDimension,
  likelihood,
  model,
  priorPrecision,
  subnetwork,
}: Predictor['manifest']): Record<string, string> {
  return {
    likelihood,
    posterior_digest: digest,
    model_digest: model.digest,
    parameter_count: String(model.parameterCount),
    subnetwork_rule: subnetwork.rule,
    subnetwork_size: String(subnetwork.size),
    prior_precision: String(priorPrecision),
    effective_dimension: String(effectiveDimension),
  };
}

/**
 * Knobs of a prediction from the parameters of a request.
 *
 * @param parameters  Without the names that the protocol reserves.
 * @param likelihood  Decides which links there are; a regression has no knobs, since its predictive is exact.
 * @returns  Checked knobs.
 * @throws SublaceError INVALID_ARGUMENT for an unknown name or a value out of range; a misspelt knob must not be an ignored one.
 */
export function knobsOf(parameters: Readonly<Record<string, ParameterValue>>, likelihood: PosteriorManifest['likelihood']): PredictKnobs {
  const { links } = familyOf(likelihood);
  const readers: Record<string, (value: ParameterValue) => PredictKnobs> = {
    link: (value) => ({ link: linkOf(value, links) }),
    samples: (value) => ({ samples: wholeNumber('samples', value, 1, samplesMax) }),
    seed: (value) => ({ seed: wholeNumber('seed', value, 0, 2 ** 32 - 1) }),
  };
  const known = links.length > 0 ? Object.keys(readers) : [];
  const knobs = Object.entries(parameters).map(([name, value]) => {
    if (known.includes(name)) return readers[name](value);
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `request parameters: expected ${known.join(', ') || `none for ${likelihood}`}, got '${name}'`,
    );
  });
  return Object.assign({}, ...knobs) as PredictKnobs;
}

function checkDraws({ link, samples = 1000 }: PredictKnobs, count: number): void {
  if (link !== 'monte-carlo' || samples * count <= drawsMax) return;
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `link monte-carlo: expected at most ${drawsMax} draws for a request, got ${count} examples of ${samples}; ask for fewer of either`,
  );
}

function linkOf(value: ParameterValue, links: readonly Link[]): Link {
  const link = links.find((candidate) => candidate === value);
  if (!link) throw new SublaceError('INVALID_ARGUMENT', `parameter link: expected ${links.join(', ')}, got '${value}'`);
  return link;
}

function wholeNumber(name: string, value: ParameterValue, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new SublaceError('INVALID_ARGUMENT', `parameter ${name}: expected a whole number from ${min} to ${max}, got '${value}'`);
}
