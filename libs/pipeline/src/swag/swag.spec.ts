import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { readSafetensors } from '@sublace/tensor-files';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { collectModelSwag, openModel, readModelFiles, type SwagRecord } from '../index.ts';
import { fitInProcess, fitJob } from '../testdata/fit-in-process.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';
import { withoutSoftmax } from './without-softmax.ts';

const folder = temporaryFolder();
let problem: SmallProblem;
let record: SwagRecord;
const options = { snapshots: 4, learningRate: 0.05, batchSize: 8 };

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(folder);
  record = await collectModelSwag({ ...problem, ...options });
});

let copyCount = 0;

/** A copy of the model and its variances, changed. */
function copyOf(change: (copy: string) => void = () => undefined): string {
  const copy = join(folder, `copy-${++copyCount}`);
  cpSync(problem.model, copy, { recursive: true });
  change(copy);
  return copy;
}

function variancesOf(model: string): Float32Array {
  return readSafetensors(readFileSync(join(model, 'swag.safetensors'))).tensors.get('variance')!.data as Float32Array;
}

interface LayersModel {
  modelTopology: { config: { layers: { config: object; [key: string]: unknown }[]; output_layers: [string, number, number][] } };
}

describe('collectModelSwag', () => {
  it('writes the variances of every weight beside the model, and how they were made', () => {
    const model = openModel(problem.model);
    expect(record).toMatchObject({
      formatVersion: 1,
      modelDigest: model.digest,
      data: problem.data,
      exampleCount: 81, // without the tenth that the model was validated on
      options: { ...options, momentum: 0.9, weightDecay: 1e-4, seed: 0 }, // the decay it was trained with
    });
    expect(record.files).toEqual([expect.objectContaining({ name: 'swag.safetensors' })]);
    expect(JSON.parse(readFileSync(join(problem.model, 'swag.json'), 'utf8'))).toEqual(record);
    const variances = variancesOf(problem.model);
    expect(variances).toHaveLength(model.network.layout.size);
    expect(variances.every((value) => value >= 1e-30 && value < 1)).toBe(true);
    model.dispose();
  });

  it('gives the same bits again, and leaves the model and no tensor behind', async () => {
    const copy = copyOf();
    const before = tf.memory().numTensors;
    const again = await collectModelSwag({ ...problem, model: copy, ...options });
    expect(tf.memory().numTensors).toBe(before);
    expect(again).toEqual(record);
    expect(readFileSync(join(copy, 'weights.bin'))).toEqual(readFileSync(join(problem.model, 'weights.bin')));
  });

  it('ranks the weights of a fit, whose manifest names them by digest', async () => {
    const output = join(folder, 'posterior');
    const run = await fitInProcess({ ...problem, subnetwork: 'swag-variance:6', priorPrecision: 1, output });
    const variances = variancesOf(problem.model);
    const kernels = [...Array.from({ length: 16 }, (_, i) => i), ...Array.from({ length: 12 }, (_, i) => 20 + i)];
    const expected = kernels.sort((a, b) => variances[b] - variances[a]).slice(0, 6 + run.selection.report.deadCount);
    expect([...run.indices].every((index) => expected.includes(index))).toBe(true);
    const manifest = JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8')) as { subnetwork: { swagDigest: string } };
    expect(manifest.subnetwork.swagDigest).toBe(record.files[0].sha256);
  });

  it.each(['softmax', 'Softmax layer', 'Activation layer'])('runs on the logits of a model that ends in %s', async (ending) => {
    const read = (copy: string): LayersModel => JSON.parse(readFileSync(join(copy, 'model.json'), 'utf8')) as LayersModel;
    const copy = copyOf((path) => {
      const model = read(path);
      const { config } = model.modelTopology;
      const append = (className: string, extra: object): void => {
        const [last] = config.output_layers[0];
        config.layers.push({ name: 'end', class_name: className, config: { name: 'end', ...extra }, inbound_nodes: [[[last, 0, 0, {}]]] });
        config.output_layers = [['end', 0, 0]];
      };
      if (ending === 'softmax') Object.assign(config.layers[config.layers.length - 1].config, { activation: 'softmax' });
      else if (ending === 'Softmax layer') append('Softmax', { axis: -1 });
      else append('Activation', { activation: 'softmax' });
      writeFileSync(join(path, 'model.json'), JSON.stringify(model));
    });
    const before = readFileSync(join(copy, 'model.json'));
    await collectModelSwag({ ...problem, model: copy, ...options });
    expect(variancesOf(copy)).toEqual(variancesOf(problem.model));
    expect(readFileSync(join(copy, 'model.json'))).toEqual(before); // the model itself stays as it is
  });

  it('leaves a borrowed model.json alone when it takes the softmax off', () => {
    const { modelJson } = readModelFiles(problem.model);
    const before = JSON.stringify(modelJson);
    withoutSoftmax(modelJson);
    expect(JSON.stringify(modelJson)).toBe(before);
  });
});

describe('swag-variance without variances to trust', () => {
  const plan = (model: string): Promise<unknown> =>
    fitJob({ ...problem, model, subnetwork: 'swag-variance:6', priorPrecision: 1, output: join(folder, 'never') }).run({ phase: 'plan' });

  it('refuses before any work when there are none, or they are of another model', async () => {
    const bare = copyOf((copy) => rmSync(join(copy, 'swag.json')));
    await expect(plan(bare)).rejects.toMatchObject({
      code: 'SUBNETWORK_INVALID',
      message: `swag-variance: expected 'swag.json' beside the model, got none; make it with 'sublace swag --model ${bare} --data SPEC'`,
    });
    const retrained = copyOf((copy) => {
      const weights = readFileSync(join(copy, 'weights.bin'));
      weights.writeFloatLE(0.125, 0);
      writeFileSync(join(copy, 'weights.bin'), weights);
    });
    await expect(plan(retrained)).rejects.toMatchObject({
      code: 'SUBNETWORK_INVALID',
      message: expect.stringMatching(
        /^swag-variance: expected snapshots of the model with digest [0-9a-f]{16}, got those of [0-9a-f]{16}; make/,
      ),
    });
    const odd = copyOf((copy) => writeFileSync(join(copy, 'swag.json'), '{"formatVersion":2}'));
    await expect(plan(odd)).rejects.toMatchObject({ code: 'SUBNETWORK_INVALID', message: expect.stringContaining('got formatVersion 2') });
  });

  it('refuses variances that were changed', async () => {
    const model = copyOf((copy) => {
      const bytes = readFileSync(join(copy, 'swag.safetensors'));
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(join(copy, 'swag.safetensors'), bytes);
    });
    const output = join(folder, 'never-selected');
    await expect(fitInProcess({ ...problem, model, subnetwork: 'swag-variance:6', priorPrecision: 1, output })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
      message: expect.stringContaining('swag.safetensors: expected sha256'),
    });
    expect(existsSync(output)).toBe(false);
  });
});
