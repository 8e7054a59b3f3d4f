import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { flat, matrixOf, naiveGgn, naiveSoftmax, product, transposed, categoricalHessian, type Matrix } from '@sublace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { posteriorDigest } from '../posterior/write-posterior.ts';
import { fullLaplace, type FullLaplace } from '../testdata/full-laplace.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let problem: SmallProblem;
let fitCount = 0;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(join(folder, 'table'));
});

const fit = (curvature: string, extra: object = {}): Promise<FullLaplace> =>
  fullLaplace(problem, { output: join(folder, `posterior-${++fitCount}`), priorPrecision: 2, curvature, ...extra });

const diagonal = (matrix: ArrayLike<number>, size: number): number[] => Array.from({ length: size }, (_, i) => matrix[i * (size + 1)]);

describe('a fit by the empirical Fisher', () => {
  it('has the sum of gradient outer products for its data term', async () => {
    const { run, fitted, data, outputs, jacobians } = await fit('empirical-fisher');
    const labels = (data.targets as { labels: Int32Array }).labels;
    const gradients: Matrix = outputs.map((f, n) => {
      const p = naiveSoftmax(f);
      return product([p.map((value, c) => (c === labels[n] ? 1 : 0) - value)], jacobians[n])[0];
    });
    expect(run.ggn).toBeAllclose(flat(product(transposed(gradients), gradients)));
    expect(run.selection.maxDiagonal).toBeCloseTo(Math.max(...diagonal(run.ggn, 35)), 2);
    expect(fitted.manifest.curvature).toBe('empirical-fisher');
    fitted.dispose();
  });
});

describe('a fit by the Monte Carlo Fisher', () => {
  it('draws the same targets however the data are cut, and others for another seed', async () => {
    const [one, another] = [await fit('mc-fisher:3'), await fit('mc-fisher:3', { shardSize: 17 })];
    expect(another.run.plan.shards.length).toBeGreaterThan(one.run.plan.shards.length);
    expect(another.run.ggn).toBeAllclose(one.run.ggn);
    const other = await fit('mc-fisher:3', { seed: 1 });
    const distance = Math.hypot(...other.run.ggn.map((value, i) => value - one.run.ggn[i])) / Math.hypot(...one.run.ggn);
    expect(distance).toBeGreaterThan(0.05);
    for (const { fitted } of [one, another, other]) fitted.dispose();
  });

  it('comes near the GGN with many draws, whose diagonal selects the same way', async () => {
    const { run, fitted, outputs, jacobians } = await fit('mc-fisher:400');
    const exact = flat(naiveGgn(jacobians, outputs.map(categoricalHessian)));
    // 36,000 gradients in all: a relative error of well below a tenth.
    expect(Math.hypot(...exact.map((value, i) => value - run.ggn[i])) / Math.hypot(...exact)).toBeLessThan(0.1);
    expect(run.selection.maxDiagonal).toBeCloseTo(Math.max(...diagonal(run.ggn, 35)), 2);
    fitted.dispose();
  });
});

describe('whatever the curvature', () => {
  it.each(['ggn', 'mc-fisher:2', 'empirical-fisher'])('the temperature divides the data term alone: %s', async (curvature) => {
    const { run, fitted } = await fit(curvature, { temperature: 4 });
    const precision = matrixOf(run.ggn, 35).map((row, i) => row.map((value, j) => value / 4 + (i === j ? 2 : 0)));
    const covariance = matrixOf(fitted.posterior.covariance(), 35);
    const identity = Array.from({ length: 35 * 35 }, (_, i) => (i % 36 === 0 ? 1 : 0));
    expect(flat(product(precision, covariance))).toBeAllclose(identity, { relative: 0, scaled: 1e-6 }); // doubles, a condition of some hundreds
    fitted.dispose();
  });

  it('it is part of the digest', async () => {
    const { fitted } = await fit('ggn');
    const { posterior, manifest } = fitted;
    expect(manifest.curvature).toBe('ggn');
    const digestOf = (curvature: string): string => posteriorDigest(posterior, { ...manifest, curvature }, manifest.files);
    expect(digestOf('ggn')).toBe(manifest.digest);
    expect(digestOf('mc-fisher:1')).not.toBe(manifest.digest);
    fitted.dispose();
  });
});
