import { unexpected } from '../client-error.ts';
import type { Datatype } from '../tensors/datatypes.ts';
import type { AnyTensor, Parameters, Tensor } from '../tensors/tensor.ts';

/** The answer of a model. */
export class InferResult {
  readonly modelName: string;
  /** The version that answered; empty from a server that does not tell. */
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
  /** In the order asked for. */
  readonly outputs: readonly AnyTensor[];

  /**
   * @param answer  As read.
   */
  constructor(answer: Pick<InferResult, 'modelName' | 'modelVersion' | 'id' | 'parameters' | 'outputs'>) {
    this.modelName = answer.modelName;
    this.modelVersion = answer.modelVersion;
    this.id = answer.id;
    this.parameters = answer.parameters;
    this.outputs = answer.outputs;
  }

  /**
   * One output, if it is there.
   *
   * @param name  Of the output.
   * @returns  The tensor; its `datatype` tells the type of its `data`.
   */
  find(name: string): AnyTensor | undefined {
    return this.outputs.find((output) => output.name === name);
  }

  /**
   * One output of the data type that it is known to have.
   *
   * @param name  Of the output.
   * @param datatype  Expected.
   * @returns  The tensor.
   * @throws SublaceClientError UNEXPECTED_ANSWER when there is no such output or it has another data type.
   */
  output<D extends Datatype>(name: string, datatype: D): Tensor<D> {
    const output = this.find(name);
    if (output?.datatype !== datatype) {
      const got = output ? output.datatype : `only ${this.outputs.map((other) => other.name).join(', ') || 'nothing'}`;
      throw unexpected(`model '${this.modelName}': expected output '${name}' of ${datatype}, got ${got}`);
    }
    return output as Tensor as Tensor<D>;
  }
}
