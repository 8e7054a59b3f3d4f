import { SublaceError } from '@sublace/errors';
import type { InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponseInit } from '@sublace/protocol/inference';
import type { InferInput, InferRequest, InferResponse } from '../inference/infer-request.ts';
import type { ParameterValue } from '../models/model.ts';

/** The typed field that carries each data type. */
const contentsFields: Readonly<Record<string, keyof InferTensorContents>> = {
  BOOL: 'boolContents',
  INT8: 'intContents',
  INT16: 'intContents',
  INT32: 'intContents',
  INT64: 'int64Contents',
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
  UINT64: 'uint64Contents',
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  BYTES: 'bytesContents',
};

/**
 * Reads an inference request, with raw or with typed inputs.
 *
 * @param message  As it came.
 * @returns  The request; shapes and data are still unchecked.
 * @throws SublaceError INVALID_ARGUMENT when raw and typed contents are mixed or their number is not that of the inputs.
 */
export function readInferMessage(message: ModelInferRequest): InferRequest {
  const raw = message.rawInputContents;
  if (raw.length > 0 && raw.length !== message.inputs.length) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `expected one raw_input_contents for each of ${message.inputs.length} inputs, got ${raw.length}`,
    );
  }
  const inputs = message.inputs.map(({ name, datatype, shape, contents, parameters }, i): InferInput => {
    refuseSharedMemory(parameters, name);
    if (raw.length === 0) return { name, datatype, shape, contents: { kind: 'values', values: typedValues(contents, datatype, name) } };
    if (contents) throw new SublaceError('INVALID_ARGUMENT', `input '${name}': expected raw_input_contents or contents, got both`);
    return { name, datatype, shape, contents: { kind: 'raw', bytes: raw[i] } };
  });
  return {
    modelName: message.modelName,
    modelVersion: message.modelVersion,
    id: message.id,
    parameters: Object.fromEntries(Object.entries(message.parameters).flatMap(([name, parameter]) => entryOf(name, parameter))),
    inputs,
    outputs: message.outputs.map((output) => {
      refuseSharedMemory(output.parameters, output.name);
      return output.name;
    }),
  };
}

/**
 * Writes an answer, always with raw contents: the most used client reads nothing else.
 *
 * @param response  The answer.
 * @returns  The message.
 */
export function writeInferMessage(response: InferResponse): ModelInferResponseInit {
  return {
    modelName: response.modelName,
    modelVersion: response.modelVersion,
    id: response.id,
    outputs: response.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    rawOutputContents: response.outputs.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  };
}

function typedValues(contents: InferTensorContents | null, datatype: string, name: string): unknown {
  if (!contents) throw new SublaceError('INVALID_ARGUMENT', `input '${name}': expected raw_input_contents or contents, got neither`);
  const expected = Object.hasOwn(contentsFields, datatype) ? contentsFields[datatype] : undefined;
  const filled = Object.values(contentsFields).find((field) => contents[field].length > 0 && field !== expected);
  if (expected && filled)
    throw new SublaceError('INVALID_ARGUMENT', `input '${name}': expected ${datatype} in ${snakeCase(expected)}, got ${snakeCase(filled)}`);
  return expected ? contents[expected] : []; // an unknown data type is refused with the other checks
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A parameter as a list of no or one name and value: one that was sent empty is left out. */
function entryOf(name: string, parameter: InferParameter): [string, ParameterValue][] {
  const value = parameter.parameterChoice === undefined ? undefined : parameter[parameter.parameterChoice];
  return value === undefined ? [] : [[name, value]];
}

/** The extension would mean that the data are elsewhere; ignoring it would answer another question. */
function refuseSharedMemory(parameters: Record<string, InferParameter>, tensor: string): void {
  const name = Object.keys(parameters).find((key) => key === 'classification' || key.startsWith('shared_memory'));
  if (name)
    throw new SublaceError('INVALID_ARGUMENT', `tensor '${tensor}': expected no parameter ${name}: this server has no such extension`);
}
