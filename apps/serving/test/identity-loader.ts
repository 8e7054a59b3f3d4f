/** Loads models that give their input back: with one, everything is measured but a model, in the same thread and by the same messages. */
import { SublaceError } from '@sublace/errors';
import type { LoadedModel, ModelDescription } from '../src/models/model.ts';
import type { ModelLoader } from '../src/compute/model-loader.ts';

/** Output `output` is input `input`, FP32 [N, D] with any D. */
const description: ModelDescription = {
  platform: 'sublace_identity',
  inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, -1] }],
  outputs: [{ name: 'output', datatype: 'FP32', shape: [-1, -1] }],
  defaultOutputs: ['output'],
  properties: {},
  card: {},
  memoryBytes: 0,
};

/** Where an identity model is: nowhere, but something must be asked for. */
export const IDENTITY_PLACE = 'identity';

const loader: ModelLoader = {
  start: () => Promise.resolve({ name: 'identity' }),
  load: ({ place }) => {
    if (place !== IDENTITY_PLACE)
      throw new SublaceError('NOT_FOUND', `identity loader: expected place '${IDENTITY_PLACE}', got '${place}'`);
    return Promise.resolve(identityModel());
  },
};

export default loader;

function identityModel(): LoadedModel {
  return {
    description,
    infer: (requests) =>
      Promise.resolve(
        requests.map(({ input, count }) => ({
          outputs: [{ name: 'output', datatype: 'FP32', shape: [count, input.length / count], data: input }],
        })),
      ),
    dispose: () => Promise.resolve(),
  };
}
