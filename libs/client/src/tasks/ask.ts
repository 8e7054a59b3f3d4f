import { SublaceClientError, invalid, unexpected } from '../client-error.ts';
import type { CallOptions } from '../http/http-caller.ts';
import type { InferenceClient } from '../protocol/inference-client.ts';
import type { InferResult } from '../protocol/infer-result.ts';
import type { TensorMetadata } from '../protocol/metadata.ts';
import type { ParameterValue, Parameters } from '../tensors/tensor.ts';
import { inputOf, type Examples } from './examples.ts';

/** What every question about examples may say beside. */
export interface TaskOptions extends CallOptions {
  /** Version or label. Default: the version that the server has in force. */
  readonly version?: string;
  /** Comes back with the answer, and is in the server's log. Default: a new one. */
  readonly id?: string;
  /** Knobs that have no option of their own. */
  readonly parameters?: Parameters;
}

/** What every answer says beside. */
export interface Answered {
  readonly modelName: string;
  /** The version that answered. */
  readonly modelVersion: string;
  readonly id: string;
}

/** Asks about examples; knows what each model takes once it has asked. */
export class ExampleAsker {
  readonly #client: InferenceClient;
  readonly #inputs = new Map<string, Promise<TensorMetadata>>();

  /**
   * @param client  Sends the requests.
   */
  constructor(client: InferenceClient) {
    this.#client = client;
  }

  /**
   * Asks a model of one input about examples.
   *
   * @param model  Its name.
   * @param examples  N of them.
   * @param outputs  Names.
   * @param knobs  Undefined ones are left out.
   * @param options  Version, id, deadline.
   * @returns  The outputs, and N.
   * @throws SublaceClientError.
   */
  async ask(
    model: string,
    examples: Examples,
    outputs: readonly string[],
    knobs: Readonly<Record<string, ParameterValue | undefined>>,
    { version = '', id, parameters, signal, timeoutMs }: TaskOptions,
  ): Promise<{ result: InferResult; count: number }> {
    const call: CallOptions = { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
    const key = JSON.stringify([model, version]);
    try {
      const input = inputOf(examples, await this.#inputOf(key, model, version, call));
      const given = Object.entries(knobs).filter((entry): entry is [string, ParameterValue] => entry[1] !== undefined);
      const request = {
        inputs: [input],
        outputs,
        version,
        parameters: { ...parameters, ...Object.fromEntries(given) },
        ...(id !== undefined && { id }),
      };
      return { result: await this.#client.infer(model, request, call), count: input.shape[0] };
    } catch (error) {
      // The version in force may take something else than the one that was asked what it takes.
      if (error instanceof SublaceClientError && error.code !== 'CANCELLED') this.#inputs.delete(key);
      throw error;
    }
  }

  #inputOf(key: string, model: string, version: string, call: CallOptions): Promise<TensorMetadata> {
    const known = this.#inputs.get(key);
    if (known) return known;
    const asked = this.#client.modelMetadata(model, { ...call, version }).then(({ inputs }) => {
      if (inputs.length !== 1) throw invalid(`model '${model}': expected one input, got ${inputs.length}; use infer`);
      return inputs[0];
    });
    // Others that wait for the same answer must not fail with this caller's deadline: only an answer is kept.
    void asked.then(
      () => this.#inputs.set(key, asked),
      () => undefined,
    );
    return asked;
  }
}

/**
 * One FP32 output, example by example.
 *
 * @param result  The answer.
 * @param name  Of an output [N, ...].
 * @param count  N.
 * @returns  N views of it, row-major.
 * @throws SublaceClientError UNEXPECTED_ANSWER when it is not there or of another length.
 */
export function rowsOf(result: InferResult, name: string, count: number): Float32Array[] {
  const { data, shape } = result.output(name, 'FP32');
  if (shape[0] !== count) throw unexpected(`output '${name}': expected ${count} examples, got shape [${shape.join(', ')}]`);
  const size = data.length / count;
  return Array.from({ length: count }, (_, n) => data.subarray(n * size, (n + 1) * size));
}

/**
 * What every answer says beside its outputs.
 *
 * @param result  The answer.
 * @returns  Model, version, id.
 */
export function answeredBy({ modelName, modelVersion, id }: InferResult): Answered {
  return { modelName, modelVersion, id };
}
