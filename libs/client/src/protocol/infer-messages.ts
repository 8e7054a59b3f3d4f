import { invalid, unexpected } from '../client-error.ts';
import { checkTensor } from '../tensors/convert-data.ts';
import { isDatatype, type Datatype } from '../tensors/datatypes.ts';
import { readJson, writeJson } from '../tensors/json-contents.ts';
import { readRaw, writeRaw } from '../tensors/raw-contents.ts';
import { elementCountOf, type AnyTensor, type InputTensor, type Parameters } from '../tensors/tensor.ts';
import { InferResult } from './infer-result.ts';

/** What is asked of a model. */
export interface InferRequest {
  readonly inputs: readonly InputTensor[];
  /** Names of the outputs wanted. Default: those that the model answers when none are named. */
  readonly outputs?: readonly string[];
  /** Knobs of the model. */
  readonly parameters?: Parameters;
  /** Version or label. Default: the version that the server has in force. */
  readonly version?: string;
  /** Comes back with the answer, and is in the server's log. Default: a new one. */
  readonly id?: string;
  /** Whether tensors travel as bytes, both ways, rather than as numbers in JSON. Default true. */
  readonly binary?: boolean;
}

/** The header that tells how many bytes of a body are JSON; the tensors follow them. */
export const jsonLengthHeader = 'inference-header-content-length';

/** Body and headers of a request. */
export interface InferBody {
  body: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

/**
 * Writes the body of an inference request: JSON, then the bytes of the tensors.
 *
 * @param request  What is asked.
 * @param id  Request id.
 * @returns  Body and headers.
 * @throws SublaceClientError INVALID_ARGUMENT for tensors that cannot be sent.
 */
export function writeInferBody({ inputs, outputs, parameters = {}, binary = true }: InferRequest, id: string): InferBody {
  if (inputs.length === 0) throw invalid('expected at least one input, got none');
  const tail: Uint8Array[] = [];
  const wireInputs = inputs.map((input) => {
    const checked = checkTensor(input, `input '${input.name}'`);
    const { name, datatype, shape } = checked;
    if (!binary) return { name, datatype, shape, ...(input.parameters && { parameters: input.parameters }), data: writeJson(checked) };
    const bytes = writeRaw(datatype, checked.data);
    tail.push(bytes);
    return { name, datatype, shape, parameters: { ...input.parameters, binary_data_size: bytes.length } };
  });
  const json = {
    id,
    parameters: { ...parameters, ...(binary && !outputs && { binary_data_output: true }) },
    inputs: wireInputs,
    ...(outputs && { outputs: outputs.map((name) => ({ name, parameters: { binary_data: binary } })) }),
  };
  const head = new TextEncoder().encode(JSON.stringify(json));
  if (!binary) return { body: head, headers: { 'content-type': 'application/json' } };
  const headers = { 'content-type': 'application/octet-stream', [jsonLengthHeader]: String(head.length) };
  return { body: concatenate([head, ...tail]), headers };
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the body of an answer.
 *
 * @param body  All of it.
 * @param headers  Of the answer.
 * @returns  The outputs, with memory of their own.
 * @throws SublaceClientError UNEXPECTED_ANSWER for a body that is not of the protocol.
 */
export function readInferBody(body: Uint8Array, headers: Headers): InferResult {
  const jsonLength = jsonLengthOf(body, headers);
  const { model_name, model_version, id, parameters, outputs } = parse(body.subarray(0, jsonLength));
  if (!Array.isArray(outputs)) throw unexpected('answer: expected a list of outputs, got none');
  let offset = jsonLength;
  const tensors = outputs.map((output: unknown): AnyTensor => {
    const { name, datatype, shape, parameters: own, data } = object(output);
    const label = `output '${text(name)}'`;
    if (!isDatatype(text(datatype))) throw unexpected(`${label}: expected a data type of the protocol, got ${JSON.stringify(datatype)}`);
    if (!isShape(shape)) throw unexpected(`${label}: expected a shape of whole numbers, got ${JSON.stringify(shape)}`);
    const tensor = { name: text(name), datatype: datatype as Datatype, shape };
    const size = object(own)['binary_data_size'];
    if (size === undefined) return { ...tensor, data: readJson(tensor.datatype, data, shape, label) } as AnyTensor;
    if (!(typeof size === 'number' && size >= 0 && offset + size <= body.length)) {
      throw unexpected(`${label}: expected binary_data_size within the body's ${body.length} bytes, got ${JSON.stringify(size)}`);
    }
    const bytes = body.subarray(offset, offset + size);
    offset += size;
    return { ...tensor, data: readRaw(tensor.datatype, bytes, elementCountOf(shape), label) } as AnyTensor;
  });
  if (offset !== body.length) throw unexpected(`answer: expected ${offset} bytes, got ${body.length}`);
  return new InferResult({
    modelName: text(model_name),
    modelVersion: text(model_version),
    id: text(id),
    parameters: object(parameters) as Parameters,
    outputs: tensors,
  });
}

function jsonLengthOf(body: Uint8Array, headers: Headers): number {
  const header = headers.get(jsonLengthHeader);
  if (header === null) {
    if (!headers.get('content-type')?.startsWith('application/octet-stream')) return body.length;
    throw unexpected(
      `answer: expected the header ${jsonLengthHeader}, got none; a page of another origin sees it only if the server names it in Access-Control-Expose-Headers, else ask with binary: false`,
    );
  }
  const length = Number(header);
  if (!(Number.isInteger(length) && length >= 0 && length <= body.length)) {
    throw unexpected(`answer: expected ${jsonLengthHeader} from 0 to ${body.length}, got '${header}'`);
  }
  return length;
}

function parse(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw unexpected(`answer: expected JSON, got ${bytes.length} bytes that are not`, { cause });
  }
  if (typeof value === 'object' && value !== null) return value as Json;
  throw unexpected('answer: expected a JSON object, got something else');
}

/** Some servers write null for what there is none of. */
function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
