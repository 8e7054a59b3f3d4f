import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset, splitValidation } from '@sublace/data';
import { meanLogLikelihood } from '@sublace/metrics';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, familyOf, openPosterior, type PosteriorManifest } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { curveProblem, pairProblem, tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

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
    expect(tuned.manifest.prior).toMatchObject({ method: 'evidence', isAtBound: false, bounds: [1e-4, 1e6] });
    const point = tuned.manifest.prior.curve?.find(({ priorPrecision }) => priorPrecision === best);
    expect(point?.loss).toBeCloseTo(-tuned.manifest.logMarginalLikelihood, 6);
    for (const factor of [0.1, 0.9, 1, 1.1, 10]) {
      const { manifest } = await fit(problem(), { priorPrecision: best * factor });
      expect(manifest.prior).toEqual({ method: 'given', structure: 'scalar', mean: 0 });
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

/** A file of prior precisions by weight tensor, as a fit takes it. */
function priorFile(entries: readonly (readonly [string, number])[]): { file: string } {
  const file = join(folder, `prior-${++fitCount}.json`);
  writeFileSync(file, JSON.stringify(Object.fromEntries(entries)));
  return { file };
}

describe('a prior precision per weight tensor', () => {
  it('by evidence is where the log marginal likelihood is largest in each of them', async () => {
    const { manifest } = await fit(table, { priorPrecision: 'evidence', priorStructure: 'layer' });
    const { tensors = [], ascent = [], isAtBound } = manifest.prior;
    expect(tensors.map(({ layer, weight }) => `${layer}/${weight}`)).toEqual([
      'dense1/kernel',
      'dense1/bias',
      'output/kernel',
      'output/bias',
    ]);
    expect(isAtBound).toBe(false);
    expect(ascent.every((value, i) => i === 0 || value > ascent[i - 1])).toBe(true);
    expect(ascent.at(-1)).toBeCloseTo(manifest.logMarginalLikelihood, 6);
    const scalar = await fit(table, { priorPrecision: 'evidence' });
    expect(manifest.logMarginalLikelihood).toBeGreaterThan(scalar.manifest.logMarginalLikelihood);
    const evidenceAt = async (changed: number, factor: number): Promise<number> => {
      const entries = tensors.map(
        ({ layer, weight, priorPrecision }, i) => [`${layer}/${weight}`, priorPrecision * (i === changed ? factor : 1)] as const,
      );
      const given = await fit(table, { priorPrecision: priorFile(entries) });
      expect(given.manifest.prior).toMatchObject({ method: 'given', structure: 'layer' });
      return given.manifest.logMarginalLikelihood;
    };
    expect(await evidenceAt(0, 1)).toBeCloseTo(manifest.logMarginalLikelihood, 6);
    for (const i of tensors.keys()) {
      for (const factor of [0.7, 1.4]) expect(await evidenceAt(i, factor)).toBeLessThan(manifest.logMarginalLikelihood);
    }
  });

  it('keeps the ratios of the evidence where held-out data choose the scale', async () => {
    const evidence = (await fit(table, { priorPrecision: 'evidence', priorStructure: 'layer' })).manifest;
    const { manifest, folder: path } = await fit(table, { priorPrecision: 'validation', priorStructure: 'layer' });
    const ratios = (manifest.prior.tensors ?? []).map(
      ({ priorPrecision }, i) => priorPrecision / (evidence.prior.tensors?.[i].priorPrecision ?? 0),
    );
    for (const ratio of ratios) expect(ratio / ratios[0]).toBeCloseTo(1, 10);
    const point = manifest.prior.curve?.find(({ priorPrecision }) => Math.abs(priorPrecision / manifest.priorPrecision - 1) < 1e-12);
    expect(point?.loss).toBeCloseTo(await heldOutNll(path), 4);
  });
});

describe('a prior precision per weight', () => {
  it('has more evidence than one per tensor, is finite for every weight, and shrinks to that of its tensor', async () => {
    const layer = (await fit(table, { priorPrecision: 'evidence', priorStructure: 'layer', keepDead: true })).manifest;
    const { manifest, folder: path } = await fit(table, { priorPrecision: 'evidence', priorStructure: 'weight', keepDead: true });
    expect(manifest.prior).toMatchObject({ structure: 'weight', isAtBound: false });
    expect(manifest.logMarginalLikelihood).toBeGreaterThan(layer.logMarginalLikelihood);
    const fitted = await openPosterior(path);
    const { priorPrecision, mapValues } = fitted.posterior;
    fitted.dispose();
    expect(new Set(priorPrecision).size).toBe(35);
    // Of no weight the prior is wider than its own distance and one more of its tensor's allow.
    const start = 4 * 4 + 4 + 4 * 3; // of output/bias
    const centre = layer.prior.tensors?.at(-1)?.priorPrecision ?? 0;
    for (let i = start; i < 35; i++) expect(priorPrecision[i]).toBeGreaterThan(0.99 / (mapValues[i] ** 2 + 1 / centre));
  });

  it('is read from a vector of the subnetwork or of the whole model', async () => {
    const values = Array.from({ length: 35 }, (_, i) => 1 + i);
    const file = join(folder, 'vector.txt');
    writeFileSync(file, values.join('\n'));
    const whole = await fit(table, { priorPrecision: { file }, keepDead: true });
    const fitted = await openPosterior(whole.folder);
    expect([...fitted.posterior.priorPrecision]).toEqual(values);
    fitted.dispose();
    const last = await fit(table, { priorPrecision: { file }, subnetwork: 'last-layer', candidates: 'all', keepDead: true });
    const part = await openPosterior(last.folder);
    expect([...part.posterior.priorPrecision]).toEqual(Array.from(part.posterior.indices, (index) => 1 + index));
    part.dispose();
  });
});

describe('a prior mean', () => {
  it('enters the evidence by its distance from the MAP, and not the covariance', async () => {
    const zero = await fit(table, { priorPrecision: 2 });
    const one = await fit(table, { priorPrecision: 2, priorMean: 1 });
    const fitted = await openPosterior(one.folder);
    const { mapValues } = fitted.posterior;
    fitted.dispose();
    const difference = mapValues.reduce((sum, w) => sum - 0.5 * 2 * ((w - 1) ** 2 - w ** 2), 0);
    expect(one.manifest.logMarginalLikelihood - zero.manifest.logMarginalLikelihood).toBeCloseTo(difference, 8);
    expect(one.manifest.prior.mean).toBe(1);
    expect(one.manifest.digest).toBe(zero.manifest.digest); // predictions are the same
  });

  it('at the MAP itself lets the evidence ask for the strongest prior there is', async () => {
    const known = await fit(table, { priorPrecision: 1 });
    const fitted = await openPosterior(known.folder);
    const file = join(folder, 'mean.json');
    writeFileSync(file, JSON.stringify([...fitted.posterior.mapValues]));
    fitted.dispose();
    const { manifest } = await fit(table, { priorPrecision: 'evidence', priorMean: { file }, priorBounds: [0.1, 1000] });
    expect(manifest.prior).toMatchObject({ mean: null, isAtBound: true, bounds: [0.1, 1000] });
    expect(manifest.priorPrecision).toBe(1000);
  });
});

describe('the noise of a regression', () => {
  it('by evidence is, with the prior, where the log marginal likelihood of fits at fixed ones is largest', async () => {
    const { manifest } = await fit(curve, { priorPrecision: 'evidence', tuneNoise: true });
    const [noise, prior] = [scalarNoise(manifest), manifest.priorPrecision];
    const scale = (manifest.normalisation.targetStd?.[0] ?? 1) ** 2;
    const evidenceAt = async (noiseFactor: number, priorFactor: number): Promise<number> =>
      (await fit(curve, { priorPrecision: prior * priorFactor, noiseVariance: noise * scale * noiseFactor })).manifest
        .logMarginalLikelihood;
    expect(await evidenceAt(1, 1)).toBeCloseTo(manifest.logMarginalLikelihood, 2); // GGN of another noise, rounded anew
    for (const [noiseFactor, priorFactor] of [
      [0.7, 1],
      [1.4, 1],
      [1, 0.5],
      [1, 2],
      [0.7, 0.5],
      [1.4, 2],
    ]) {
      // prettier-ignore
      expect(await evidenceAt(noiseFactor, priorFactor)).toBeLessThan(manifest.logMarginalLikelihood);
    }
    const layered = await fit(curve, { priorPrecision: 'evidence', priorStructure: 'layer', tuneNoise: true });
    expect(layered.manifest.logMarginalLikelihood).toBeGreaterThan(manifest.logMarginalLikelihood);
  });

  it('by validation has the smallest held-out loss of a grid of fits over both', async () => {
    const validation = { fraction: 0.4, seed: 1 };
    const tuned = await fit(curve, { priorPrecision: 'validation', tuneNoise: true, validation });
    expect(tuned.manifest.prior.isAtBound).toBe(false);
    const loss = await heldOutNll(tuned.folder, validation);
    const scale = (tuned.manifest.normalisation.targetStd?.[0] ?? 1) ** 2;
    for (const noiseFactor of [0.5, 1, 2]) {
      for (const priorFactor of [0.1, 1, 10]) {
        const noiseVariance = scalarNoise(tuned.manifest) * scale * noiseFactor;
        const given = await fit(curve, { priorPrecision: tuned.manifest.priorPrecision * priorFactor, noiseVariance, validation });
        const other = await heldOutNll(given.folder, validation);
        if (noiseFactor === 1 && priorFactor === 1) expect(other).toBeCloseTo(loss, 4);
        else expect(other).toBeGreaterThan(loss - 1e-4);
      }
    }
  });
});

describe('the noises of a regression with several outputs', () => {
  it('keep their ratios when they are found with the prior, and a fit at the noises found is the same', async () => {
    const pair = await pairProblem(join(folder, 'pair'));
    const { manifest: planned } = await fit(pair, { priorPrecision: 1, noiseVariance: 'fit-per-output' });
    const { manifest } = await fit(pair, { priorPrecision: 'evidence', tuneNoise: true, noiseVariance: 'fit-per-output' });
    const [before, after] = [planned, manifest].map(({ noiseVariance }) => [noiseVariance].flat().map(Number));
    expect(after).toHaveLength(2);
    expect(after[0] / before[0]).toBeCloseTo(after[1] / before[1], 10);
    expect(Math.abs(Math.log(after[0] / before[0]))).toBeGreaterThan(0.001);
    const noiseVariance = after.map((value, c) => value * (manifest.normalisation.targetStd?.[c] ?? Number.NaN) ** 2);
    const given = await fit(pair, { priorPrecision: manifest.priorPrecision, noiseVariance });
    expect(given.manifest.logMarginalLikelihood).toBeCloseTo(manifest.logMarginalLikelihood, 2); // GGN of another noise, rounded anew
  });
});

function scalarNoise({ noiseVariance }: PosteriorManifest): number {
  return typeof noiseVariance === 'number' ? noiseVariance : Number.NaN;
}

/** Mean NLL of the posterior's predictions on the examples that a share of the data leaves out, in raw units. */
async function heldOutNll(path: string, split = { fraction: 0.1, seed: 0 }): Promise<number> {
  const fitted = await openPosterior(path);
  const { likelihood, data } = fitted.manifest;
  const { validation } = splitValidation(
    await loadDataset(data.spec, { split: 'train', likelihood: familyOf(likelihood).targetUse }),
    split,
  );
  const scores = evaluate(fitted, validation).scores;
  fitted.dispose();
  return scores.find(({ predictor }) => predictor === 'Sublace')?.nll ?? Number.NaN;
}
