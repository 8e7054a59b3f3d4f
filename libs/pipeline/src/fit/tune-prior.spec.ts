import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset, splitValidation } from '@sublace/data';
import { meanLogLikelihood } from '@sublace/metrics';
import { beforeAll, describe, expect, it } from 'vitest';
import { openPosterior, type PosteriorManifest } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { curveProblem, tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let table: SmallProblem;
let curve: SmallProblem;
let fitCount = 0;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  table = await tableProblem(join(folder, 'table'));
  curve = await curveProblem(join(folder, 'curve'));
});

async function fit(problem: SmallProblem, extra: object): Promise<{ manifest: PosteriorManifest; folder: string }> {
  const run = await fitInProcess({ ...problem, subnetwork: 'names:*', output: join(folder, `posterior-${++fitCount}`), ...extra });
  const fitted = await openPosterior(run.folder);
  fitted.dispose();
  return { manifest: fitted.manifest, folder: run.folder };
}

describe('prior precision', () => {
  it.each([
    ['classification', () => table],
    ['regression', () => curve],
  ])('by evidence is where the log marginal likelihood of fits at fixed priors is largest: %s', async (_, problem) => {
    const tuned = await fit(problem(), { priorPrecision: 'evidence' });
    const best = tuned.manifest.priorPrecision;
    expect(tuned.manifest.prior).toMatchObject({ method: 'evidence', isAtBound: false });
    for (const factor of [0.1, 0.5, 1, 2, 10]) {
      const { manifest } = await fit(problem(), { priorPrecision: best * factor });
      expect(manifest.prior).toEqual({ method: 'given' });
      // The curve's minus loss and the fit's evidence are one quantity, computed from eigenvalues and from a Cholesky factor.
      if (factor === 1) expect(manifest.logMarginalLikelihood).toBeCloseTo(tuned.manifest.logMarginalLikelihood, 6);
      else expect(manifest.logMarginalLikelihood).toBeLessThan(tuned.manifest.logMarginalLikelihood);
    }
  });

  it('by validation has the loss of predictions on the examples that were held out', async () => {
    const { manifest, folder: path } = await fit(table, { priorPrecision: 'validation' });
    expect(manifest.validation.exampleCount).toBe(9);
    const curvePoint = manifest.prior.curve?.find((point) => point.priorPrecision === manifest.priorPrecision);
    const whole = await loadDataset(table.data, { likelihood: 'classification' });
    const { validation } = splitValidation(whole, { fraction: 0.1, seed: 0 });
    const fitted = await openPosterior(path);
    const [probabilities] = fitted.predict(validation.inputs, validation.count);
    fitted.dispose();
    const labels = validation.targets.kind === 'labels' ? validation.targets.labels : new Int32Array();
    expect(curvePoint?.loss).toBeCloseTo(-meanLogLikelihood(probabilities.data, labels), 4);
    expect(Math.min(...(manifest.prior.curve ?? []).map((point) => point.loss))).toBe(curvePoint?.loss);
  });

  it('is tuned by validation where there are such data, else by evidence', async () => {
    expect((await fit(table, {})).manifest.prior.method).toBe('widest');
    expect((await fit(table, { validation: 'none' })).manifest.prior.method).toBe('evidence');
    expect((await fit(table, { validation: { fraction: 0.3, seed: 4 } })).manifest).toMatchObject({
      data: { exampleCount: 63 },
      validation: { exampleCount: 27 },
    });
    expect((await fit(table, { validation: { data: table.data } })).manifest).toMatchObject({
      data: { exampleCount: 90 },
      validation: { exampleCount: 90 },
    });
  });

  it('makes the posterior at least as wide as the smallest loss does, where the data cannot tell them apart', async () => {
    const smallest = (await fit(table, { priorPrecision: 'validation' })).manifest.priorPrecision;
    const widest = (await fit(table, { priorPrecision: 'widest' })).manifest.priorPrecision;
    expect(widest).toBeLessThanOrEqual(smallest);
  });
});
