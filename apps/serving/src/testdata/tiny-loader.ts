/** A loader without a tensor runtime, whose models do what their place says: for tests of the thread. */
import { SublaceError } from '@sublace/errors';
import type { LoadedModel, ModelAnswer, ModelRequest } from '../models/model.ts';
import type { ModelLoader } from '../compute/model-loader.ts';

/** What waits for an inference of the model `opener`. */
const waiting: (() => void)[] = [];
const opened = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));

const loader: ModelLoader = {
  start: ({ places: _, ...options }) => Promise.resolve(options),
  load: async ({ place }) => {
    if (place === 'nowhere') throw new SublaceError('NOT_FOUND', 'nowhere: expected a model, got nothing');
    if (place === 'slow-load') await opened();
    return model(place);
  },
};

export default loader;

function model(place: string): LoadedModel {
  let running = 0;
  const answer = (request: ModelRequest): ModelAnswer => {
    return { outputs: [{ name: 'output', datatype: 'FP32', shape: [request.count, 1], data: resultOf(request) }] };
  };
  /** One of a larger buffer where asked for: a tensor that cannot move as it is. */
  const resultOf = ({ input, count, outputs }: ModelRequest): Float32Array => {
    if (!outputs.includes('part')) return input;
    const large = new Float32Array(1000).fill(5);
    return large.subarray(10, 10 + count);
  };
  return {
    description: {
      platform: 'tiny',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 1] }],
      outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, 1] }],
      defaultOutputs: ['output'],
      properties: { place },
      card: {},
      memoryBytes: 0,
    },
    infer: async (requests) => {
      running += 1;
      if (running > 1) throw new Error('two inferences of a model at a time');
      if (place === 'exit') process.exit(3);
      if (place === 'crash')
        setTimeout(() => {
          throw new Error('crashed');
        });
      if (place === 'hang') for (;;);
      if (place === 'fail') {
        running = 0;
        throw new SublaceError('INVALID_ARGUMENT', 'failed');
      }
      if (place === 'opener') waiting.splice(0).forEach((open) => open());
      if (place === 'gated' || place === 'crash') await opened();
      running -= 1;
      return requests.map(answer);
    },
    dispose: () => (running > 0 ? Promise.reject(new Error('disposed of while computing')) : Promise.resolve()),
  };
}
