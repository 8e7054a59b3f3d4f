import { SublaceError, type ErrorCode } from '@sublace/errors';
import type { ModelCatalogue } from '../model-catalogue.ts';
import type { OutputTensor, ParameterValue, ServedModel } from '../served-model.ts';
import type { InferRequest, InferResponse } from './infer-request.ts';
import { readInput } from './input-tensor.ts';

/** Parameters that standard clients and proxies add; they mean nothing here and are not shown to the model. */
const reservedParameters = new Set([
  'sequence_id',
  'sequence_start',
  'sequence_end',
  'priority',
  'timeout',
  'headers',
  'binary_data_output',
]);

/**
 * Answers one request: finds the model, checks everything, computes, and checks the answer. Both protocols end here.
 *
 * @param catalogue  The models on offer.
 * @param request  As it came.
 * @returns  The outputs asked for, in that order.
 * @throws SublaceError NOT_FOUND, UNAVAILABLE while warming up or draining, INVALID_ARGUMENT, SHAPE_MISMATCH, DATA_INVALID for what is wrong
 *   with the request; INTERNAL for what is wrong here.
 */
export async function runInference(catalogue: ModelCatalogue, request: InferRequest): Promise<InferResponse> {
  const model = catalogue.find(request.modelName, request.modelVersion);
  if (!catalogue.isModelReady(model.name, model.version)) {
    throw new SublaceError(
      'UNAVAILABLE',
      `model '${model.name}': expected it to be ready, got one that is warming up or draining; try again later`,
    );
  }
  const { values, count } = readInput(theInput(model, request), model.inputs[0]);
  const outputs = outputNames(model, request.outputs);
  const tensors = await catalogue.track(() => compute(model, values, count, outputs, modelParameters(request.parameters)));
  return { modelName: model.name, modelVersion: model.version, id: request.id, outputs: tensors };
}

/**
 * Computes one answer and makes sure that it is what the metadata promise; also the warm-up.
 *
 * @param model  Any model.
 * @param values  [count, ...] row-major.
 * @param count  Number of examples.
 * @param outputs  Names of outputs.
 * @param parameters  Knobs.
 * @returns  The outputs, in the order asked for.
 * @throws SublaceError INVALID_ARGUMENT for a knob that the model refuses; INTERNAL for a model that fails or answers something else.
 */
export async function compute(
  model: ServedModel,
  values: Float32Array,
  count: number,
  outputs: readonly string[],
  parameters: Readonly<Record<string, ParameterValue>>,
): Promise<OutputTensor[]> {
  const tensors = await model.infer(values, count, outputs, parameters).catch((error: unknown) => {
    throw blame(error, model);
  });
  outputs.forEach((name, i) => {
    const fault = faultOf(tensors[i], name, count, model);
    if (fault) throw new SublaceError('INTERNAL', `model '${model.name}', output '${name}': ${fault}`);
  });
  return tensors;
}

/** Codes that speak of the request even when the model raises them; any other is a defect on this side. */
const requestCodes: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
]);

function blame(error: unknown, model: ServedModel): SublaceError {
  const cause = SublaceError.from(error);
  return requestCodes.has(cause.code) ? cause : new SublaceError('INTERNAL', `model '${model.name}' failed: ${cause.message}`, { cause });
}

function faultOf(tensor: OutputTensor | undefined, name: string, count: number, model: ServedModel): string | null {
  const spec = model.outputs.find((candidate) => candidate.name === name);
  if (tensor?.name !== name || !spec) return `expected it, got ${tensor?.name ?? 'nothing'}`;
  const expected = spec.shape.map((size) => (size === -1 ? count : size));
  if (tensor.shape.join() !== expected.join()) return `expected shape [${expected.join(', ')}], got [${tensor.shape.join(', ')}]`;
  const elementCount = expected.reduce((product, size) => product * size, 1);
  if (tensor.data.length !== elementCount) return `expected ${elementCount} elements, got ${tensor.data.length}`;
  // JSON has no NaN, and a client that gets one has been told nothing.
  const index = tensor.data.findIndex((value) => !Number.isFinite(value));
  return index === -1 ? null : `expected finite values, got ${tensor.data[index]} at element ${index}`;
}

function theInput(model: ServedModel, request: InferRequest): InferRequest['inputs'][number] {
  const [spec] = model.inputs;
  const names = request.inputs.map((input) => `'${input.name}'`).join(', ') || 'none';
  if (request.inputs.length !== 1 || request.inputs[0].name !== spec.name) {
    throw new SublaceError('INVALID_ARGUMENT', `model '${model.name}': expected one input '${spec.name}', got ${names}`);
  }
  return request.inputs[0];
}

function outputNames(model: ServedModel, requested: readonly string[]): readonly string[] {
  if (requested.length === 0) return model.defaultOutputs;
  const known = model.outputs.map((output) => output.name);
  const unknown = requested.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new SublaceError('INVALID_ARGUMENT', `model '${model.name}': expected outputs among ${known.join(', ')}, got '${unknown}'`);
  }
  if (new Set(requested).size !== requested.length) {
    throw new SublaceError('INVALID_ARGUMENT', `model '${model.name}': expected each output once, got ${requested.join(', ')}`);
  }
  return requested;
}

function modelParameters(parameters: InferRequest['parameters']): Record<string, ParameterValue> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !reservedParameters.has(name) && !name.startsWith('triton_')));
}
