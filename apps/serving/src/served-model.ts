/** What a request parameter can be: the knobs of one inference. */
export type ParameterValue = string | number | boolean;

/** Name, data type and shape of an input or output tensor, as metadata tell it. */
export interface TensorSpec {
  name: string;
  /** A data type of the Open Inference Protocol. */
  datatype: 'FP32';
  /** -1 for the examples of a request, always the first dimension; the others are fixed. */
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

/** A model that both protocols can serve. Requests are checked against the specs before they reach it. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Names of the outputs computed when a request names none. */
  readonly defaultOutputs: readonly string[];
  /** Facts for people who look at the metadata. */
  readonly properties: Readonly<Record<string, string>>;

  /**
   * One inference.
   *
   * @param input  Finite values, [count, ...] row-major. Borrowed.
   * @param count  Number of examples, 1 or more.
   * @param outputs  Names of outputs, each one of the specs, none twice.
   * @param parameters  Knobs of the request, without the names that the protocol reserves.
   * @returns  The outputs, in the order asked for.
   * @throws SublaceError INVALID_ARGUMENT for a knob it does not know or cannot use.
   */
  infer(
    input: Float32Array,
    count: number,
    outputs: readonly string[],
    parameters: Readonly<Record<string, ParameterValue>>,
  ): Promise<OutputTensor[]>;
}
