import { join } from 'node:path';
import { activeBackend, startBackend } from '@sublace/backend';
import { FLOAT32_SOLVE } from '@sublace/testing';
import type { Network } from '@sublace/network';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { familyOf, openPosterior } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { tableProblem, pairProblem, temporaryFolder } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
const folders: Record<string, string> = {};

beforeAll(async () => {
  await startBackend({ threads: 1 });
  const problems = { table: await tableProblem(join(folder, 'table')), pair: await pairProblem(join(folder, 'pair')) };
  for (const [name, problem] of Object.entries(problems)) {
    const run = await fitInProcess({ ...problem, subnetwork: 'names:*', priorPrecision: 2, output: join(folder, `${name} fit`) });
    folders[name] = run.folder;
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

function nativeTensors(): number {
  return activeBackend().name === 'tensorflow' ? (tf.backend() as unknown as { getNumOfTFTensors(): number }).getNumOfTFTensors() : 0;
}

describe.each(['table', 'pair'])('a model that is prepared, %s', (name) => {
  it('answers as before, within rounding, in batches of any size', async () => {
    const fitted = await openPosterior(folders[name]);
    const { outputNames, links } = familyOf(fitted.manifest.likelihood);
    const width = fitted.inputShape.reduce((product, extent) => product * extent, 1);
    const inputs = Float32Array.from({ length: 70 * width }, (_, i) => 8 + 8 * Math.sin(i * i));
    const ask = (count: number) => [
      ...fitted.predict(inputs.subarray(0, count * width), count, { outputs: outputNames, samples: 20 }),
      ...links.flatMap((link) => fitted.predict(inputs.subarray(0, count * width), count, { link, samples: 20 })),
      ...fitted.predict(inputs.subarray(0, count * width), count, { outputs: ['samples', outputNames[0]], samples: 5 }),
    ];
    const counts = [1, 3, 70];
    const before = counts.map(ask);
    expect(fitted.isCompiled).toBe(false);
    expect(fitted.batchSizes).toEqual([]);
    await fitted.prepare({ batchMax: 4 });
    expect(fitted.isCompiled).toBe(activeBackend().name === 'tensorflow');
    expect(fitted.batchSizes).toEqual(fitted.isCompiled ? [1, 2, 4] : []);
    for (const [i, count] of counts.entries()) {
      for (const [k, { name: output, data }] of ask(count).entries())
        expect(data, `${count} ${output}`).toBeAllclose(before[i][k].data, FLOAT32_SOLVE);
    }
    // Answers repeat bit for bit.
    expect(ask(3)).toEqual(ask(3));
    fitted.dispose();
  });
});

describe('a model that is prepared', () => {
  it('runs no operation of its own for small requests, and frees everything', async () => {
    if (activeBackend().name !== 'tensorflow') return;
    const before = [tf.memory().numTensors, nativeTensors()];
    const fitted = await openPosterior(folders['table']);
    await fitted.prepare({ batchMax: 2 });
    const record = vi.spyOn(fitted.network as Network, 'record');
    const forward = vi.spyOn(fitted.network as Network, 'forward');
    const inputs = new Float32Array(2 * 4).fill(3);
    fitted.predictMany([
      { inputs, count: 2 },
      { inputs: inputs.subarray(0, 4), count: 1, options: { outputs: ['map_probabilities'] } },
    ]);
    expect([record.mock.calls.length, forward.mock.calls.length]).toEqual([0, 0]);
    fitted.predictMany([{ inputs, count: 2 }, { inputs: inputs.subarray(0, 4), count: 1 }]); // prettier-ignore
    expect(record).toHaveBeenCalledTimes(1); // three inputs go through a graph of four, which is made now
    fitted.dispose();
    expect([tf.memory().numTensors, nativeTensors()]).toEqual(before);
  });

  it('lets others run while it opens and prepares', async () => {
    let turns = 0;
    let isDone = false;
    const others = (async () => {
      while (!isDone) {
        await new Promise((resolve) => setImmediate(resolve));
        turns++;
      }
    })();
    const fitted = await openPosterior(folders['table']);
    await fitted.prepare({ batchMax: 8 });
    isDone = true;
    await others;
    expect(turns).toBeGreaterThan(8);
    fitted.dispose();
  });
});
