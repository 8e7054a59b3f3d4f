import { SublaceError } from '@sublace/errors';
import { expect, it } from 'vitest';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { Batcher, batchingDefaults, type BatchingOptions } from '../batching/batcher.ts';
import { silentObserver } from '../observe/observer.ts';
import type { LoadedModel } from './model.ts';
import { warmUp } from './warm-up.ts';

/** Warms a model; returns how many examples it was asked about, each time. */
async function warmed(model: LoadedModel, options: Partial<BatchingOptions> = {}): Promise<number[]> {
  const counts: number[] = [];
  const infer: LoadedModel['infer'] = (requests) => {
    counts.push(...requests.map(({ count }) => count));
    return model.infer(requests);
  };
  const batching = { ...batchingDefaults, ...options };
  const served = { name: 'm', version: '3', model: { ...model, infer } };
  await warmUp({ batcher: new Batcher(batching, silentObserver), batching }, served);
  return counts;
}

it('asks for one example and for the largest batch that can wait', async () => {
  expect(await warmed(linearGaussianModel(), { maxBatchSize: 64 })).toEqual([1, 64]);
  expect(await warmed(linearGaussianModel(), { maxBatchSize: 1 })).toEqual([1]);
  // Three inputs of four bytes each.
  expect(await warmed(linearGaussianModel(), { maxBatchSize: 64, maxQueueBytes: 100 })).toEqual([1, 8]);
});

it('finds out a model that answers NaN, something else or nothing', async () => {
  const model = linearGaussianModel();
  const answersNaN: LoadedModel['infer'] = async (requests) => {
    const answers = await model.infer(requests);
    for (const answer of answers) if ('outputs' in answer) answer.outputs[0].data[0] = NaN;
    return answers;
  };
  const invalid = (message: RegExp): object => ({ code: 'MODEL_INVALID', message: expect.stringMatching(message) as string });
  await expect(warmed({ ...model, infer: answersNaN })).rejects.toMatchObject(
    invalid(/^version 3 does not .*expected finite values, got NaN/),
  );
  const fails: LoadedModel['infer'] = () => Promise.reject(new TypeError('boom'));
  await expect(warmed({ ...model, infer: fails })).rejects.toMatchObject(invalid(/boom/));
});

it('lets what may pass be tried again', async () => {
  const infer: LoadedModel['infer'] = () => Promise.reject(new SublaceError('RESOURCE_EXHAUSTED', 'no memory'));
  await expect(warmed({ ...linearGaussianModel(), infer })).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
});
