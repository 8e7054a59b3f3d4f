import type { ErrorCode } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';

/** What a request parameter can be: the knobs of one inference. */
export type ParameterValue = string | number | boolean;

/** Name, data type and shape of an input or output tensor, as metadata tell it. */
export interface TensorSpec {
  name: string;
  /** A data type of the Open Inference Protocol. */
  datatype: 'FP32';
  /** The first dimension is the number of examples of a request, -1; so is any other whose size the request decides. */
  shape: number[];
}

/** One tensor of an answer. */
export interface OutputTensor {
  name: string;
  datatype: 'FP32';
  /** [N, ...], with N the number of examples asked about. */
  shape: number[];
  /** Row-major. */
  data: Float32Array;
}

/** What a model says of itself once it is loaded: all that the protocols need to check a request and to describe it. */
export interface ModelDescription {
  readonly platform: string;
  /** Exactly one. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Names of the outputs computed when a request names none. */
  readonly defaultOutputs: readonly string[];
  /** Facts for people who look at the metadata. */
  readonly properties: Readonly<Record<string, string>>;
  /** Facts for the page: of a posterior a `ModelCard`, and empty for a model that has nothing to show. */
  readonly card: JsonObject;
  /** What it keeps in memory while it is loaded. */
  readonly memoryBytes: number;
  /** Examples that it computes at once as they are, ascending; batches between two sizes are filled up to the next. Absent where every size is as good. */
  readonly batchSizes?: readonly number[];
}

/** One inference, checked against the description. */
export interface ModelRequest {
  /** Finite values, [count, ...] row-major. */
  readonly input: Float32Array;
  /** Number of examples, 1 or more. */
  readonly count: number;
  /** Names of outputs, each one of the description's, none twice. */
  readonly outputs: readonly string[];
  /** Where it begins in the client's request that it is a part of: random draws go by an example's place there. Default 0. */
  readonly firstExample?: number;
  /** Knobs, without the names that the protocol reserves. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

/** What became of one inference: its outputs in the order asked for, or why there are none. */
export type ModelAnswer = { readonly outputs: OutputTensor[] } | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** A loaded model. Requests given together share work; what each is answered does not depend on the others. */
export interface LoadedModel {
  readonly description: ModelDescription;
  /**
   * Several inferences at once.
   *
   * @param requests  One or more. Their inputs are the model's afterwards.
   * @returns  One answer for each, in their order.
   * @throws SublaceError when none could be computed: then each of them failed so.
   */
  infer(requests: readonly ModelRequest[]): Promise<ModelAnswer[]>;
  /** Frees what it keeps. Nothing may be asked of it any more. */
  dispose(): Promise<void>;
}
