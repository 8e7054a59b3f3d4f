import { describe, expect, it } from 'vitest';
import { Batcher, batchingDefaults } from '../batching/batcher.ts';
import { silentObserver } from '../observe/observer.ts';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { patient, readyService } from '../../test/ready-service.ts';
import type { LoadedModel, ModelRequest } from '../models/model.ts';
import { joinParts, partsOf } from './request-parts.ts';
import { runInference } from './run-inference.ts';

const outputs = [
  { name: 'mean', datatype: 'FP32', shape: [-1, 2] },
  { name: 'joint_covariance', datatype: 'FP32', shape: [-1, 2, -1, 2] },
] as const;
const description = { outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })) };
const request = (count: number, names: string[]): ModelRequest => {
  return { input: Float32Array.from({ length: 3 * count }, (_, i) => i), count, outputs: names, parameters: { seed: 1 } };
};

describe('partsOf', () => {
  it('cuts a request into batches, each with memory of its own and its place in the whole', () => {
    const parts = partsOf(request(5, ['mean']), description, 2);
    expect(parts.map(({ count, firstExample, input }) => [count, firstExample, ...input])).toEqual([
      [2, 0, 0, 1, 2, 3, 4, 5],
      [2, 2, 6, 7, 8, 9, 10, 11],
      [1, 4, 12, 13, 14],
    ]);
    expect(parts.every(({ input }) => input.byteLength === input.buffer.byteLength)).toBe(true);
    expect(parts[1]).toMatchObject({ outputs: ['mean'], parameters: { seed: 1 } });
  });

  it('leaves what is small enough, and what belongs to all examples together', () => {
    for (const whole of [request(2, ['mean']), request(5, ['mean', 'joint_covariance'])])
      expect(partsOf(whole, description, 2)).toEqual([whole]);
  });
});

describe('joinParts', () => {
  it('puts the rows one after the other', () => {
    const part = (...data: number[]) => [
      { name: 'mean', datatype: 'FP32' as const, shape: [data.length / 2, 2], data: Float32Array.from(data) },
    ];
    expect(joinParts([part(1, 2, 3, 4), part(5, 6)])).toEqual([
      { name: 'mean', datatype: 'FP32', shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    ]);
  });
});

describe('a request of many examples', () => {
  it('is finished once it was let in, however full the queue is meanwhile', async () => {
    const batching = { ...batchingDefaults, maxBatchSize: 2, maxQueueSize: 2 };
    const batcher = new Batcher(batching, silentObserver);
    const model = linearGaussianModel();
    const others: Promise<unknown>[] = [];
    let isDone = false;
    // Whenever a batch leaves the queue, another request takes its place: each part after the first finds it full.
    const crowded: LoadedModel = {
      ...model,
      infer: (requests) => {
        if (!isDone) others.push(ask(2).catch((error: unknown) => error)); // refused where a part has taken its place
        return model.infer(requests);
      },
    };
    const service = { ...(await readyService(crowded)), batcher, batching };
    const ask = (count: number) => {
      const contents = { kind: 'values', values: new Array<number>(3 * count).fill(1) } as const;
      const inputs = [{ name: 'input', datatype: 'FP32', shape: [count, 3], contents }];
      return runInference(service, { modelName: 'linear', modelVersion: '', id: '', parameters: {}, inputs, outputs: ['mean'] }, patient);
    };
    const large = ask(8).finally(() => (isDone = true));
    others.push(ask(2));
    expect((await large).outputs[0].shape).toEqual([8, 2]);
    await Promise.all(others);
  });

  it('is answered as one, while others are computed between its parts', async () => {
    const model = linearGaussianModel();
    const batches: number[][] = [];
    const seen: LoadedModel = { ...model, infer: (requests) => (batches.push(requests.map(({ count }) => count)), model.infer(requests)) };
    const service = await readyService(seen);
    const { maxBatchSize } = service.batching;
    const ask = (count: number) => {
      const values = Array.from({ length: 3 * count }, (_, i) => Math.sin(i));
      const contents = { kind: 'values', values } as const;
      const inputs = [{ name: 'input', datatype: 'FP32', shape: [count, 3], contents }];
      return runInference(service, { modelName: 'linear', modelVersion: '', id: '', parameters: {}, inputs, outputs: ['mean'] }, patient);
    };
    const count = 3 * maxBatchSize + 1;
    batches.length = 0;
    const [large, small] = await Promise.all([ask(count), ask(1)]);
    expect(batches.map((each) => each.reduce((sum, size) => sum + size, 0)).every((size) => size <= maxBatchSize)).toBe(true);
    expect(batches.flat()).toHaveLength(5);
    expect(batches.slice(0, -1).flat()).toContain(1); // it did not wait for all of the large one
    const rows = Array.from({ length: count }, (_, n) => [0, 1, 2].map((i) => Math.fround(Math.sin(3 * n + i))));
    expect(large.outputs[0].shape).toEqual([count, 2]);
    expect([...large.outputs[0].data]).toEqual(rows.flatMap((row) => model.predict(row).mean.map(Math.fround)));
    expect(small.outputs[0].shape).toEqual([1, 2]);
  });
});
