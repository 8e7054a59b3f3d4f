import type { InferResponse } from '../inference/infer-request.ts';
import { isBinary, type BinaryOutputs } from './infer-body.ts';

/** Body and headers of an answer. */
export interface RestAnswer {
  body: Uint8Array;
  headers: Record<string, string>;
}

/**
 * Writes an answer: JSON, followed by the bytes of the outputs that travel as binary.
 *
 * @param response  The answer.
 * @param binary  Which outputs travel as binary.
 * @returns  With Inference-Header-Content-Length when anything follows the JSON.
 */
export function writeInferAnswer(response: InferResponse, binary: BinaryOutputs): RestAnswer {
  const tail: Buffer[] = [];
  const outputs = response.outputs.map(({ name, datatype, shape, data }) => {
    if (!isBinary(binary, name)) return { name, datatype, shape, data: Array.from(data) };
    tail.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    return { name, datatype, shape, parameters: { binary_data_size: data.byteLength } };
  });
  const { modelName: model_name, modelVersion: model_version, id } = response;
  const json = Buffer.from(JSON.stringify({ model_name, model_version, ...(id ? { id } : {}), outputs }));
  if (tail.length === 0) return { body: json, headers: { 'content-type': 'application/json' } };
  return {
    body: Buffer.concat([json, ...tail]),
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(json.length) },
  };
}
