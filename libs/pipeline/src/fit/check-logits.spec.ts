import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { fitJob } from '../testdata/fit-in-process.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let problem: SmallProblem;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(folder);
});

interface LayersModel {
  modelTopology: { config: { layers: object[]; output_layers: [string, number, number][] } };
}

/** The model with more layers after its last. */
function extended(name: string, layers: readonly (readonly [className: string, config: object])[]): string {
  const copy = join(folder, name);
  cpSync(problem.model, copy, { recursive: true });
  const path = join(copy, 'model.json');
  const model = JSON.parse(readFileSync(path, 'utf8')) as LayersModel;
  const { config } = model.modelTopology;
  for (const [i, [className, options]] of layers.entries()) {
    const own = `more${i}`;
    const [last] = config.output_layers[0];
    config.layers.push({ name: own, class_name: className, config: { name: own, ...options }, inbound_nodes: [[[last, 0, 0, {}]]] });
    config.output_layers = [[own, 0, 0]];
  }
  writeFileSync(path, JSON.stringify(model));
  return copy;
}

const plan = (model: string): Promise<unknown> =>
  fitJob({ ...problem, model, subnetwork: 'random:5', priorPrecision: 1, output: join(folder, 'never') }).run({ phase: 'plan' });

describe('checkLogits', () => {
  it('refuses probabilities whose softmax cannot be taken off, in one line', async () => {
    const hidden = extended('hidden', [['Activation', { activation: 'softmax' }], ['Reshape', { target_shape: [3] }]]); // prettier-ignore
    await expect(plan(hidden)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      exitCode: 42,
      message:
        "model: expected logits, got values in 0..1 that sum to 1 on all of 81 examples from 'more1'; " +
        'a softmax inside the model is not recognised: make it the last layer or activation, or save the model without it',
    });
  });

  it('takes a softmax at the end, and logits that happen to be positive', async () => {
    await expect(plan(extended('end', [['Softmax', { axis: -1 }]]))).resolves.toBeDefined();
    await expect(plan(extended('positive', [['Activation', { activation: 'softplus' }]]))).resolves.toBeDefined();
  });
});
