import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { buildArchitecture } from './architectures/build-architecture.ts';
import { bars, blobs, sine } from './testdata/tiny-problems.ts';
import { trainMap } from './train-map.ts';
import { trainingDefaults } from './training-defaults.ts';
import { compileTrainingOptions } from './training-options.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('trainingDefaults', () => {
  it.each(['mlp:50x2', 'lenet5', 'resnet-small:2', 'resnet18', 'transformer'])('are valid options for %s at any size', (architecture) => {
    for (const likelihood of ['classification', 'regression'] as const) {
      for (const trainingCount of [1, 100, 60_000, 1_000_000]) {
        const defaults = trainingDefaults(architecture, { likelihood, trainingCount });
        expect(compileTrainingOptions(defaults)).toMatchObject(defaults);
      }
    }
  });

  it('give small sets more epochs', () => {
    const epochs = (trainingCount: number): number | undefined =>
      trainingDefaults('lenet5', { likelihood: 'classification', trainingCount }).epochs;
    expect([epochs(60_000), epochs(4_000), epochs(100)]).toEqual([8, 19, 40]);
  });

  it.each([
    ['mlp:50x2', blobs(400, 1), blobs(400, 2)],
    ['lenet5', bars(200, 12, 1, 1), bars(200, 12, 1, 2)],
  ])('train %s to a useful classifier', async (architecture, training, validation) => {
    const { targets, inputShape, count: trainingCount } = training;
    const outputCount = targets.kind === 'labels' ? targets.classCount : 0;
    const model = buildArchitecture(architecture, { inputShape, outputCount, seed: 1 });
    const { curve, bestEpoch } = await trainMap(
      model,
      training,
      validation,
      trainingDefaults(architecture, { likelihood: 'classification', trainingCount }),
    );
    expect(curve[bestEpoch - 1].validationAccuracy).toBeGreaterThan(0.9);
    model.dispose();
  });

  it('train an mlp to the noise of a function', async () => {
    const model = buildArchitecture('mlp:50x2', { inputShape: [1], outputCount: 1, seed: 1 });
    const defaults = trainingDefaults('mlp:50x2', { likelihood: 'regression', trainingCount: 300 });
    const { curve, bestEpoch } = await trainMap(model, sine(300, 1), sine(300, 2), defaults);
    expect(curve[bestEpoch - 1].validationRmse).toBeLessThan(0.115);
    model.dispose();
  });
});
