import { SublaceError } from '@sublace/errors';
import { z } from 'zod';
import type { InferInput, InferRequest } from '../inference/infer-request.ts';
import type { ParameterValue, TensorSpec } from '../models/model.ts';
import { parseJson } from './json-body.ts';

const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional();

/** The JSON of a request. Tensor data are left alone here: they are checked element by element only once the shape fits. */
const bodySchema = z.object({
  id: z.string().optional(),
  parameters,
  inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()), parameters, data: z.unknown().optional() })),
  outputs: z.array(z.object({ name: z.string(), parameters })).optional(),
});

type Body = z.infer<typeof bodySchema>;

/** Which outputs travel as bytes after the JSON rather than as numbers in it. Crosses threads. */
export interface BinaryOutputs {
  /** By name, those that the request names. */
  readonly named: ReadonlyMap<string, boolean>;
  readonly others: boolean;
}

/** What a REST request asks for: the inference, and how each output is to be sent. */
export interface RestInferRequest {
  inference: InferRequest;
  binary: BinaryOutputs;
}

/** Whom a body is for: model name and version from the path, and what the model takes. Crosses threads. */
export interface BodyTarget {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly input: TensorSpec;
}

/**
 * Reads the body of an inference request: JSON alone, or JSON and then the bytes of binary tensors.
 *
 *   Inference-Header-Content-Length absent   all of the body is JSON
 *   ... n > 0                                n bytes of JSON, then the tensors in the order of the inputs
 *   ... 0                                    no JSON: the whole body is the one input, one example
 *
 * @param body  Without content coding.
 * @param headerLength  The Inference-Header-Content-Length header, if any.
 * @param target  Model name and version from the path, and what the model takes.
 * @returns  The request; shapes and data are still unchecked.
 * @throws SublaceError INVALID_ARGUMENT for a body that is not of this form.
 */
export function readInferBody(body: Buffer, headerLength: string | undefined, target: BodyTarget): RestInferRequest {
  const jsonLength = jsonLengthOf(body, headerLength);
  if (jsonLength === 0 && headerLength !== undefined) return rawRequest(body, target);

  const parsed = parseJson(bodySchema, body.toString('utf8', 0, jsonLength));
  const inputs = readInputs(parsed.inputs, body.subarray(jsonLength));
  const binaryByDefault = binaryFlag(parsed.parameters, 'binary_data_output') ?? false;
  const binaryOutputs = new Map(
    (parsed.outputs ?? []).map((output) => [output.name, binaryFlag(output.parameters, 'binary_data') ?? binaryByDefault]),
  );
  (parsed.outputs ?? []).forEach((output) => refuseUnsupported(output.parameters, `output '${output.name}'`));
  return {
    inference: {
      modelName: target.modelName,
      modelVersion: target.modelVersion,
      id: parsed.id ?? '',
      parameters: parsed.parameters ?? {},
      inputs,
      outputs: (parsed.outputs ?? []).map((output) => output.name),
    },
    binary: { named: binaryOutputs, others: binaryByDefault },
  };
}

/**
 * Whether an output travels as bytes.
 *
 * @param binary  What the request says.
 * @param binary.named  Of outputs by name.
 * @param binary.others  Of all others.
 * @param output  Name of the output.
 * @returns  Whether it does.
 */
export function isBinary({ named, others }: BinaryOutputs, output: string): boolean {
  return named.get(output) ?? others;
}

/**
 * How much of a body is JSON.
 *
 * @param body  Without content coding.
 * @param headerLength  The Inference-Header-Content-Length header, if any.
 * @returns  Bytes, from the start.
 * @throws SublaceError INVALID_ARGUMENT for a header that is no length within the body.
 */
export function jsonLengthOf(body: Buffer, headerLength: string | undefined): number {
  if (headerLength === undefined) return body.length;
  const length = /^\d{1,15}$/.test(headerLength.trim()) ? Number(headerLength) : NaN;
  if (!(length <= body.length)) {
    throw invalid(`expected Inference-Header-Content-Length from 0 to the body's ${body.length} bytes, got '${headerLength}'`);
  }
  return length;
}

function rawRequest(body: Buffer, { modelName, modelVersion, input }: BodyTarget): RestInferRequest {
  const shape = input.shape.map((size) => (size === -1 ? 1 : size));
  const inputs: InferInput[] = [{ name: input.name, datatype: input.datatype, shape, contents: { kind: 'raw', bytes: body } }];
  return {
    inference: { modelName, modelVersion, id: '', parameters: {}, inputs, outputs: [] },
    binary: { named: new Map(), others: true },
  };
}

function readInputs(inputs: Body['inputs'], tail: Buffer): InferInput[] {
  let offset = 0;
  const read = inputs.map(({ name, datatype, shape, parameters, data }): InferInput => {
    refuseUnsupported(parameters, `input '${name}'`);
    const size = parameters?.['binary_data_size'];
    if (size === undefined) return { name, datatype, shape, contents: { kind: 'values', values: data } };
    if (data !== undefined) throw invalid(`input '${name}': expected data or binary_data_size, got both`);
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || offset + size > tail.length) {
      throw invalid(
        `input '${name}': expected binary_data_size within the ${tail.length - offset} bytes that follow the JSON, got ${size}`,
      );
    }
    const bytes = tail.subarray(offset, offset + size);
    offset += size;
    return { name, datatype, shape, contents: { kind: 'raw', bytes } };
  });
  if (offset !== tail.length) throw invalid(`expected ${offset} bytes of binary tensors after the JSON, got ${tail.length}`);
  return read;
}

function binaryFlag(parameters: Record<string, ParameterValue> | undefined, name: string): boolean | undefined {
  const flag = parameters?.[name];
  if (flag !== undefined && typeof flag !== 'boolean') throw invalid(`parameter ${name}: expected true or false, got '${flag}'`);
  return flag;
}

/** Extensions that change what an answer means; ignoring them would answer another question. */
function refuseUnsupported(parameters: Record<string, ParameterValue> | undefined, label: string): void {
  const name = Object.keys(parameters ?? {}).find((key) => key === 'classification' || key.startsWith('shared_memory'));
  if (name) throw invalid(`${label}: expected no parameter ${name}: this server has no such extension`);
}

function invalid(message: string): SublaceError {
  return new SublaceError('INVALID_ARGUMENT', message);
}
