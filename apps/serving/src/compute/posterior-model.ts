import { SublaceError } from '@sublace/errors';
import { familyOf, JOINT_OUTPUTS, type Family, type FittedModel, type PredictedOutput, type PredictRequest } from '@sublace/pipeline';
import type { JsonObject } from '@sublace/scheduling';
import type { LoadedModel, ModelAnswer, ModelRequest, OutputTensor, TensorSpec } from '../models/model.ts';
import type { CardCovariance } from '../models/model-card.ts';
import { cardOf, propertiesOf, type CardManifest } from './posterior-card.ts';
import { checkDraws, knobsOf } from './predict-knobs.ts';

/** What serving needs of a fitted model. */
export type Predictor = Pick<FittedModel, 'inputShape' | 'predictMany' | 'dispose' | 'memory' | 'truncation' | 'batchSizes'> & {
  readonly manifest: CardManifest;
};

/** Outputs of one request, or its error. */
type Predicted = PredictedOutput[] | SublaceError;

/**
 * A fitted model as the protocols serve it: metadata from its manifest, request parameters as knobs.
 *
 * @param fitted  The fitted model, which the result then owns.
 * @param maxBatchSize  Most examples that are computed together.
 * @returns  A model.
 */
export function posteriorModel(fitted: Predictor, maxBatchSize?: number): LoadedModel {
  const { manifest } = fitted;
  const { outputCount } = manifest.model;
  const family = familyOf(manifest.likelihood);
  const card = cardOf(manifest, covarianceOf(fitted));
  return {
    description: {
      platform: 'sublace_laplace',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, ...fitted.inputShape] }],
      outputs: [...family.outputNames, ...JOINT_OUTPUTS].map((output): TensorSpec => {
        return { name: output, datatype: 'FP32', shape: shapeOf(output, family, outputCount) };
      }),
      defaultOutputs: family.defaultOutputs,
      properties: propertiesOf(card),
      card: card as unknown as JsonObject, // an interface of JSON's types, which TypeScript does not take for JSON
      memoryBytes: fitted.memory(maxBatchSize).peakBytes,
      batchSizes: fitted.batchSizes,
    },
    infer: (requests) => Promise.resolve(inferTogether(fitted, requests)),
    dispose: () => {
      fitted.dispose();
      return Promise.resolve();
    },
  };
}

/** Those that can be computed as one batch; each is answered for itself. */
function inferTogether(fitted: Predictor, requests: readonly ModelRequest[]): ModelAnswer[] {
  const planned = requests.map((request) => orError(() => predictRequestOf(fitted, request)));
  const sound = planned.filter((each): each is PredictRequest => !(each instanceof SublaceError));
  const predicted = predictApart(fitted, sound);
  return planned.map((each) => answerOf(each instanceof SublaceError ? each : (predicted.shift() as Predicted)));
}

/** Where a batch fails as a whole, one request may have done it: each is then computed alone. */
function predictApart(fitted: Predictor, requests: readonly PredictRequest[]): Predicted[] {
  try {
    return requests.length === 0 ? [] : fitted.predictMany(requests);
  } catch (error) {
    if (requests.length === 1) return [SublaceError.from(error)];
    return requests.flatMap((request) => predictApart(fitted, [request]));
  }
}

function predictRequestOf({ manifest }: Predictor, request: ModelRequest): PredictRequest {
  const { input, count, outputs, parameters, firstExample = 0 } = request;
  const knobs = knobsOf(parameters, manifest.likelihood);
  checkDraws(request, knobs, { subnetworkSize: manifest.subnetwork.size, outputCount: manifest.model.outputCount });
  // Example n draws by seed + n, so a part of a request draws what it would have drawn in the whole.
  const seed = firstExample > 0 && { seed: (knobs.seed ?? 0) + firstExample };
  return { inputs: input, count, options: { outputs, ...knobs, ...seed } };
}

function answerOf(predicted: Predicted): ModelAnswer {
  if (predicted instanceof SublaceError) return { error: { code: predicted.code, message: predicted.message } };
  return {
    outputs: predicted.map(({ name, shape, data }): OutputTensor => {
      return { name, datatype: 'FP32', shape: [...shape], data: Float32Array.from(data) };
    }),
  };
}

/** Of an output, with -1 for what a request decides: its examples, and the functions that it asks for. */
function shapeOf(output: string, family: Family, outputCount: number): number[] {
  if (output === 'joint_covariance') return [-1, outputCount, -1, outputCount];
  if (output === 'samples') return [-1, -1, outputCount];
  return [-1, ...family.outputShape(output, outputCount)];
}

/** How variances are computed, and what was measured of the error of doing so. */
function covarianceOf({ truncation, manifest }: Predictor): CardCovariance {
  if (!truncation) return { path: 'exact', rank: manifest.subnetwork.size, errors: {} };
  const { rank, varianceError, probabilityError, heldOut } = truncation;
  return {
    path: 'truncated',
    rank,
    errors: {
      variance_relative_max: varianceError.max,
      variance_relative_p99: varianceError.p99,
      variance_relative_mean: varianceError.mean,
      ...(probabilityError && {
        probability_max: probabilityError.max,
        probability_p99: probabilityError.p99,
        probability_mean: probabilityError.mean,
      }),
      inputs: heldOut.count,
    },
  };
}

function orError<T>(act: () => T): T | SublaceError {
  try {
    return act();
  } catch (error) {
    return SublaceError.from(error);
  }
}
