import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel, ModelAnswer, ModelRequest } from '../models/model.ts';
import type { ModelCard } from '../models/model-card.ts';
import { startCompute, type Compute } from './compute.ts';

/** `sublace train --data digits --arch mlp:4x1 --epochs 3 --threads 1`, then `sublace fit --data digits --subnetwork gradient-energy:20` and `sublace truncate --data digits --rank 18 --count 64`. */
const place = fileURLToPath(new URL('../testdata/digits-posterior', import.meta.url));
const { digest } = JSON.parse(readFileSync(`${place}/manifest.json`, 'utf8')) as { digest: string };

const before = { ...process.env };
let compute: Compute;
let model: LoadedModel;
let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'artifacts-'));
  // Before the thread starts, which has a copy of the environment.
  Object.assign(process.env, { SUBLACE_ARTIFACT_CACHE: cache, AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' });
  compute = await startCompute({ places: [{ place }] });
  model = await compute.load({ place, digest });
});
afterAll(async () => {
  await compute.stop();
  process.env = before;
  await rm(cache, { recursive: true, force: true });
});

const request = (level: number, count: number, change: Partial<ModelRequest> = {}): ModelRequest => {
  const input = Float32Array.from({ length: 784 * count }, (_, i) => (level * i) % 256);
  return { input, count, outputs: ['probabilities', 'logit_variance'], parameters: {}, ...change };
};
const outputOf = (answer: ModelAnswer, name: string): { shape: number[]; data: Float32Array } => {
  if ('error' in answer) throw new Error(answer.error.message);
  return answer.outputs.find((output) => output.name === name)!;
};

describe('a posterior in the compute thread', () => {
  it('says what it is, and takes one thread for a small one', () => {
    expect(compute.info).toMatchObject({ threads: 1 });
    expect(model.description.inputs).toEqual([{ name: 'input', datatype: 'FP32', shape: [-1, 28, 28, 1] }]);
    expect(model.description.properties).toMatchObject({ likelihood: 'classification', posterior_digest: digest, subnetwork_size: '20' });
    const card = model.description.card as unknown as ModelCard;
    expect(card).toMatchObject({ kind: 'posterior', data: { spec: 'digits' }, subnetwork: { size: 20 }, covariance: { path: 'exact' } });
    expect(model.description.memoryBytes).toBeGreaterThan(4 * card.subnetwork.parameterCount);
  });

  it('answers a batch of requests that ask for different things as it answers each of them alone', async () => {
    const asked: [number, number, Partial<ModelRequest>][] = [
      [3, 1, {}],
      [5, 2, { outputs: ['probabilities', 'logit_variance'], parameters: { link: 'monte-carlo', samples: 50, seed: 3 } }],
      [7, 3, { outputs: ['samples', 'mutual_information', 'entropy'], parameters: { samples: 4, seed: 1 } }],
      [9, 2, { outputs: ['joint_covariance', 'logits', 'map_probabilities'], parameters: { temperature: 2 } }],
    ];
    const together = await model.infer(asked.map((each) => request(...each)));
    for (const [i, each] of asked.entries()) {
      const [alone] = await model.infer([request(...each)]);
      const { outputs } = request(...each);
      for (const name of outputs) {
        const [got, expected] = [outputOf(together[i], name), outputOf(alone, name)];
        expect(got.shape).toEqual(expected.shape);
        const largest = Math.max(...expected.data.map(Math.abs));
        // Products of other shapes round otherwise.
        for (const [k, value] of got.data.entries()) expect(Math.abs(value - expected.data[k])).toBeLessThanOrEqual(1e-4 * largest);
      }
    }
    expect(outputOf(together[0], 'probabilities').data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(outputOf(together[2], 'samples').shape).toEqual([3, 4, 10]);
    expect(outputOf(together[3], 'joint_covariance').shape).toEqual([2, 10, 2, 10]);
  });

  it('answers what can be answered of a batch', async () => {
    const answers = await model.infer([request(3, 1), request(3, 1, { parameters: { link: 'none' } }), request(4, 1)]);
    expect(answers.map((answer) => ('error' in answer ? answer.error.code : 'OK'))).toEqual(['OK', 'INVALID_ARGUMENT', 'OK']);
  });

  it('answers from its leading eigenvectors where it is asked to: variances are never smaller', async () => {
    const truncated = await compute.load({ place, covariance: 'truncated' });
    const { path, rank, errors } = (truncated.description.card as unknown as ModelCard).covariance;
    expect([path, rank]).toEqual(['truncated', 18]);
    expect(errors['variance_relative_max']).toBeGreaterThan(0);
    const [[exact], [got]] = await Promise.all([model, truncated].map((each) => each.infer([request(3, 4)])));
    const [variances, expected] = [got, exact].map((answer) => [...outputOf(answer, 'logit_variance').data]);
    expect(variances).not.toEqual(expected);
    // The prior's variance stands for that of the directions that are left out.
    for (const [i, value] of variances.entries()) expect(value).toBeGreaterThan(expected[i] * (1 - 1e-4));
    await truncated.dispose();
  });

  it('is refused when it is another than was asked for, or is not there', async () => {
    const other = digest.replace(/^./, (first) => (first === '0' ? '1' : '0'));
    await expect(compute.load({ place, digest: other })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringContaining(`expected the posterior of digest ${other.slice(0, 16)}, got ${digest.slice(0, 16)}`) as string,
    });
    await expect(compute.load({ place: `${place}-not` })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is that of its digest which was downloaded before, while the bucket cannot be reached', async () => {
    const unreachable = 's3://bucket/posterior?endpoint=http://127.0.0.1:1';
    await expect(compute.load({ place: unreachable, digest })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await cp(place, join(cache, '0'.repeat(64)), { recursive: true });
    const cached = await compute.load({ place: unreachable, digest });
    expect(cached.description.properties).toEqual(model.description.properties);
    expect(await compute.estimateBytes({ place: unreachable, digest })).toBe(await compute.estimateBytes({ place }));
    await cached.dispose();
    await expect(compute.load({ place: unreachable }), 'which one, nobody knows').rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('can be loaded twice, and let go of while the other answers', async () => {
    const second = await compute.load({ place });
    const answers = second.infer([request(3, 1)]);
    const gone = second.dispose();
    const [here] = await model.infer([request(3, 1)]);
    expect(outputOf((await answers)[0], 'logit_variance').data).toEqual(outputOf(here, 'logit_variance').data);
    await gone;
    await expect(model.infer([request(3, 1)])).resolves.toHaveLength(1);
  });
});
