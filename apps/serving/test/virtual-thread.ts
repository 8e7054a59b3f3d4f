import type { LoadedModel, ModelAnswer, ModelRequest } from '../src/models/model.ts';

/** One batch that a thread was given. */
export interface VirtualBatch {
  readonly model: string;
  readonly requests: readonly ModelRequest[];
  /** Milliseconds. */
  readonly given: number;
  readonly start: number;
  readonly end: number;
}

/** A thread that computes one batch after the other, in the time of the fake timers: a model's batches take what its cost function says. */
export class VirtualThread {
  readonly batches: VirtualBatch[] = [];
  #free = 0;

  /**
   * A model that gives its inputs back.
   *
   * @param name  Its name in `batches`.
   * @param cost  Milliseconds that a batch takes.
   * @param answer  What each request is answered; may throw, for the whole batch.
   * @returns  The model.
   */
  model(
    name: string,
    cost: (requests: readonly ModelRequest[]) => number,
    answer: (request: ModelRequest) => ModelAnswer = echo,
  ): LoadedModel {
    return {
      description: {
        platform: 'test',
        inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 1] }],
        outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, 1] }],
        defaultOutputs: ['output'],
        properties: {},
        card: {},
        memoryBytes: 0,
      },
      infer: async (requests) => {
        const given = performance.now();
        const start = Math.max(this.#free, given);
        const end = start + cost(requests);
        this.#free = end;
        this.batches.push({ model: name, requests, given, start, end });
        await new Promise((resolve) => setTimeout(resolve, end - given));
        return requests.map(answer);
      },
      dispose: () => Promise.resolve(),
    };
  }
}

function echo({ input, count }: ModelRequest): ModelAnswer {
  return { outputs: [{ name: 'output', datatype: 'FP32', shape: [count, 1], data: input }] };
}
