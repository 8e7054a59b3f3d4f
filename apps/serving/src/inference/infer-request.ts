import type { OutputTensor, ParameterValue } from '../models/model.ts';

/** Contents of an input: bytes; numbers, flat or nested as in JSON; or a tensor that was made of those in another thread, every element checked. */
export type InputContents =
  { kind: 'raw'; bytes: Uint8Array } | { kind: 'values'; values: unknown } | { kind: 'checked'; values: Float32Array };

/** One input of a request, not yet checked. */
export interface InferInput {
  name: string;
  datatype: string;
  shape: number[];
  contents: InputContents;
}

/** A request for an inference, whichever protocol it came by; nothing in it is checked beyond its form. */
export interface InferRequest {
  modelName: string;
  /** Empty: the default version. */
  modelVersion: string;
  /** Empty: none. Given back with the answer. */
  id: string;
  parameters: Record<string, ParameterValue>;
  inputs: InferInput[];
  /** Empty: the model's default outputs. */
  outputs: string[];
}

/** The answer, whichever protocol it goes out by. */
export interface InferResponse {
  modelName: string;
  modelVersion: string;
  id: string;
  outputs: OutputTensor[];
}
