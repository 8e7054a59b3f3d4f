import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset } from '@sublace/data';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, openPosterior, readPosteriorManifest } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { pairProblem, tableProblem, temporaryFolder, writeTable } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const fit = { subnetwork: 'last-layer', priorPrecision: 1 } as const;

describe('the scores that a manifest holds', () => {
  it.each([
    ['classification', tableProblem, ['nll', 'accuracy', 'ece', 'brier']],
    ['regression of two outputs in other units', pairProblem, ['nll', 'rmse']],
  ] as const)('are those of an evaluation on the held-out data: %s', async (name, problemIn, kinds) => {
    const problem = await problemIn(join(folder, name));
    const run = await fitInProcess({ ...problem, ...fit, validation: { data: problem.data }, output: join(folder, `${name} posterior`) });
    const fitted = await openPosterior(run.folder);
    const { scores } = fitted.manifest.validation;
    const data = await loadDataset(problem.data, { likelihood: name === 'classification' ? name : 'regression' });
    const expected = new Map(evaluate(fitted, data).scores.map((each) => [each.predictor, each]));
    fitted.dispose();
    expect(scores?.exampleCount).toBe(data.count);
    for (const kind of kinds) {
      expect(scores?.map[kind], `map ${kind}`).toBeCloseTo(expected.get('MAP')?.[kind] ?? NaN, 5);
      expect(scores?.sublace[kind], `sublace ${kind}`).toBeCloseTo(expected.get('Sublace')?.[kind] ?? NaN, 5);
    }
    expect(scores?.sublace.nll).not.toBe(scores?.map.nll);
  });

  it('are left out where there are too few examples to speak of', async () => {
    const problem = await tableProblem(join(folder, 'few'));
    const few = writeTable(join(folder, 'few.csv'), 19);
    const output = join(folder, 'few posterior');
    await fitInProcess({ ...problem, ...fit, validation: { data: few }, output });
    expect((await readPosteriorManifest(output)).validation).toEqual({ exampleCount: 19 });
  });
});
