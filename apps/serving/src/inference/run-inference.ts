import { SublaceError, type ErrorCode } from '@sublace/errors';
import type { Batcher, BatchingOptions } from '../batching/batcher.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { ServedVersion } from '../models/model-version.ts';
import type { ModelDescription, ModelRequest, OutputTensor, ParameterValue } from '../models/model.ts';
import type { EndedRequest, ServingObserver } from '../observe/observer.ts';
import type { Statistics } from '../observe/statistics.ts';
import { indexOfNonFinite } from './finite.ts';
import type { InferRequest, InferResponse } from './infer-request.ts';
import { readInput } from './input-tensor.ts';
import type { RequestContext } from './request-context.ts';
import { joinParts, partsOf } from './request-parts.ts';

/** Parameters that standard clients and proxies add; they are not shown to the model. Of them, `timeout` and `binary_data_output` have a meaning here. */
const reservedParameters = new Set([
  'sequence_id',
  'sequence_start',
  'sequence_end',
  'priority',
  'timeout',
  'headers',
  'binary_data_output',
]);

/** What answers requests: the models, the batches, and who is told. */
export interface InferenceService {
  readonly repository: ModelRepository;
  readonly batcher: Batcher;
  /** How the batcher was set up: load generators ask. */
  readonly batching: BatchingOptions;
  readonly observer: ServingObserver;
  /** What the observer has counted. */
  readonly statistics: Statistics;
}

/**
 * Answers one request: finds the model, checks everything, computes, and checks the answer. Both protocols end here.
 *
 * @param service  Models and batches.
 * @param request  As it came.
 * @param context  Of the request.
 * @returns  The outputs asked for, in that order.
 * @throws SublaceError NOT_FOUND, UNAVAILABLE while warming up or draining, INVALID_ARGUMENT, SHAPE_MISMATCH, DATA_INVALID for what is wrong
 *   with the request; RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, CANCELLED; INTERNAL for what is wrong here.
 */
export async function runInference(service: InferenceService, request: InferRequest, context: RequestContext): Promise<InferResponse> {
  const start = performance.now();
  const ended: { -readonly [K in keyof EndedRequest]: EndedRequest[K] } = {
    name: request.modelName,
    version: request.modelVersion,
    protocol: context.protocol,
    code: 'OK',
    count: 0,
    total: 0,
    queue: 0,
    compute: 0,
  };
  try {
    const lease = service.repository.acquire(request.modelName, request.modelVersion);
    try {
      Object.assign(ended, { name: lease.name, version: lease.version });
      const checked = checkRequest(lease.name, lease.model.description, request);
      ended.count = checked.count;
      const deadline = Math.min(context.deadline, start + timeoutMsOf(request.parameters));
      const outputs = await computeChecked(service, lease, checked, { signal: context.signal, deadline }, ended);
      return { modelName: lease.name, modelVersion: lease.version, id: request.id, outputs };
    } finally {
      lease.release();
    }
  } catch (error) {
    ended.code = SublaceError.from(error).code;
    throw error;
  } finally {
    ended.total = (performance.now() - start) / 1000;
    service.observer.requestEnded(ended, context);
  }
}

/**
 * Computes one answer, in parts where it is larger than a batch, and makes sure that it is what the metadata promise; also the warm-up.
 *
 * @param service  Batches.
 * @param served  The version.
 * @param request  Checked.
 * @param waiting  Who waits.
 * @param times  Is told where the time went, also when it throws.
 * @param times.queue  Seconds.
 * @param times.compute  Seconds.
 * @returns  The outputs, in the order asked for.
 * @throws SublaceError INVALID_ARGUMENT for a knob that the model refuses; INTERNAL for a model that fails or answers something else.
 */
export async function computeChecked(
  { batcher, batching }: Pick<InferenceService, 'batcher' | 'batching'>,
  { name, version, model }: ServedVersion,
  request: ModelRequest,
  waiting: Pick<RequestContext, 'signal' | 'deadline'>,
  times: { queue: number; compute: number } = { queue: 0, compute: 0 },
): Promise<OutputTensor[]> {
  const answers: OutputTensor[][] = [];
  // One after the other: a large request has one place in the queue, as every other has.
  for (const part of partsOf(request, model.description, batching.maxBatchSize)) {
    const { answer, queue, compute, batch } = await batcher.submit({ name, version }, model, part, {
      ...waiting,
      isLetIn: answers.length > 0,
    });
    Object.assign(times, { queue: times.queue + queue, compute: times.compute + compute, ...(batch && { batch }) });
    if ('error' in answer) throw blame(answer.error, name);
    part.outputs.forEach((output, i) => {
      const fault = faultOf(answer.outputs[i], output, part.count, model.description);
      if (fault) throw new SublaceError('INTERNAL', `model '${name}', output '${output}': ${fault}`);
    });
    answers.push(answer.outputs);
  }
  return joinParts(answers);
}

/** Codes that speak of the request even when the model raises them; any other is a defect on this side. */
const requestCodes: ReadonlySet<ErrorCode> = new Set([
  'INVALID_ARGUMENT',
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
]);

function blame({ code, message }: { code: ErrorCode; message: string }, name: string): SublaceError {
  return requestCodes.has(code) ? new SublaceError(code, message) : new SublaceError('INTERNAL', `model '${name}' failed: ${message}`);
}

function faultOf(tensor: OutputTensor | undefined, name: string, count: number, { outputs }: ModelDescription): string | null {
  const spec = outputs.find((candidate) => candidate.name === name);
  if (tensor?.name !== name || !spec) return `expected it, got ${tensor?.name ?? 'nothing'}`;
  const fits =
    tensor.shape.length === spec.shape.length &&
    tensor.shape.every((size, axis) => (axis === 0 ? size === count : spec.shape[axis] === -1 ? size >= 1 : size === spec.shape[axis]));
  if (!fits) return `expected shape [${[count, ...spec.shape.slice(1)].join(', ')}], got [${tensor.shape.join(', ')}]`;
  const elementCount = tensor.shape.reduce((product, size) => product * size, 1);
  if (tensor.data.length !== elementCount) return `expected ${elementCount} elements, got ${tensor.data.length}`;
  // JSON has no NaN, and a client that gets one has been told nothing.
  const index = indexOfNonFinite(tensor.data);
  return index === -1 ? null : `expected finite values, got ${tensor.data[index]} at element ${index}`;
}

function checkRequest(name: string, description: ModelDescription, request: InferRequest): ModelRequest {
  const { values, count } = readInput(theInput(name, description, request), description.inputs[0]);
  const outputs = outputNames(name, description, request.outputs);
  return { input: values, count, outputs, parameters: modelParameters(request.parameters) };
}

function theInput(name: string, { inputs: [spec] }: ModelDescription, request: InferRequest): InferRequest['inputs'][number] {
  const names = request.inputs.map((input) => `'${input.name}'`).join(', ') || 'none';
  if (request.inputs.length !== 1 || request.inputs[0].name !== spec.name) {
    throw new SublaceError('INVALID_ARGUMENT', `model '${name}': expected one input '${spec.name}', got ${names}`);
  }
  return request.inputs[0];
}

function outputNames(name: string, { outputs, defaultOutputs }: ModelDescription, requested: readonly string[]): readonly string[] {
  if (requested.length === 0) return defaultOutputs;
  const known = outputs.map((output) => output.name);
  const unknown = requested.find((output) => !known.includes(output));
  if (unknown !== undefined) {
    throw new SublaceError('INVALID_ARGUMENT', `model '${name}': expected outputs among ${known.join(', ')}, got '${unknown}'`);
  }
  if (new Set(requested).size !== requested.length) {
    throw new SublaceError('INVALID_ARGUMENT', `model '${name}': expected each output once, got ${requested.join(', ')}`);
  }
  return requested;
}

/** The parameter `timeout` of Triton's clients, microseconds from the arrival; 0 and none at all are no limit. */
function timeoutMsOf({ timeout = 0 }: InferRequest['parameters']): number {
  if (typeof timeout !== 'number' || !Number.isInteger(timeout) || timeout < 0)
    throw new SublaceError('INVALID_ARGUMENT', `parameter timeout: expected microseconds as an integer of 0 or more, got '${timeout}'`);
  return timeout === 0 ? Infinity : timeout / 1000;
}

function modelParameters(parameters: InferRequest['parameters']): Record<string, ParameterValue> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !reservedParameters.has(name) && !name.startsWith('triton_')));
}
