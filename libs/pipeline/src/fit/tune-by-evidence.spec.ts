import { startBackend } from '@sublace/backend';
import { denseOf, factorise, TiledMatrix } from '@sublace/linalg';
import { ParameterLayout } from '@sublace/network';
import { Spectrum } from '@sublace/posterior';
import { flat, matrixOf, product, testRandom, transposed } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { scalarByEvidence, scalarByFactorisations, type EvidenceInputs } from './tune-by-evidence.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Evidence over twelve weights of which the data determine eight, in tiles of five. */
function inputs(seed: number, scale: number): EvidenceInputs {
  const random = testRandom(seed);
  const root = matrixOf(random.normals(8 * 12, scale), 12);
  return {
    ggn: TiledMatrix.fromDense(flat(product(transposed(root), root)), 12, 5),
    indices: Int32Array.from({ length: 12 }, (_, i) => i),
    mapValues: Float64Array.from(random.normals(12)),
    priorMean: new Float64Array(12),
    layout: new ParameterLayout([]),
    temperature: 2,
    logLikelihood: -10,
  };
}

describe('scalarByFactorisations', () => {
  it.each([1, 2, 3])('finds the maximum that the eigendecomposition finds, seed %i', async (seed) => {
    const problem = inputs(seed, 3);
    const before = tf.memory().numTensors;
    const { best, curve, isAtBound } = await scalarByFactorisations(problem, [1e-4, 1e6]);
    expect(tf.memory().numTensors).toBe(before);
    const spectrum = new Spectrum(denseOf(problem.ggn), 12, { temperature: problem.temperature });
    const exact = scalarByEvidence(spectrum, problem, { bounds: [1e-4, 1e6], patience: 3 }).search.best;
    spectrum.dispose();
    expect(Math.abs(Math.log10(best.priorPrecision / exact.priorPrecision))).toBeLessThan(1 / 40);
    expect(best.loss).toBeCloseTo(exact.loss, 2);
    expect(best.loss).toBeGreaterThanOrEqual(exact.loss - 1e-9);
    expect(isAtBound).toBe(false);
    expect(curve.length).toBeLessThan(20);
    expect(curve.map((point) => point.priorPrecision)).toEqual(curve.map((point) => point.priorPrecision).sort((a, b) => a - b));
  });

  it('says when the maximum lies at a bound', async () => {
    const { best, isAtBound } = await scalarByFactorisations(inputs(1, 3), [1e-4, 1e-2]);
    expect(isAtBound).toBe(true);
    expect(best.priorPrecision).toBeGreaterThan(8e-3);
  });

  it('takes the same steps when the factors are made elsewhere', async () => {
    const problem = inputs(2, 3);
    const asked: number[] = [];
    const logDeterminantAt = async ([value, ...others]: Float64Array): Promise<number | undefined> => {
      asked.push(value);
      const outcome = factorise(problem.ggn, { divisor: problem.temperature, diagonal: Float64Array.of(value, ...others) });
      if (outcome.status !== 'ok') return undefined;
      outcome.factor.dispose();
      return outcome.factor.logDeterminant;
    };
    const search = await scalarByFactorisations({ ...problem, logDeterminantAt }, [1e-4, 1e6]);
    expect(search).toEqual(await scalarByFactorisations(problem, [1e-4, 1e6]));
    expect(asked.sort((a, b) => a - b)).toEqual(search.curve.map(({ priorPrecision }) => priorPrecision));
  });

  it('refuses a GGN with a negative diagonal', async () => {
    const problem = { ...inputs(1, 3), ggn: TiledMatrix.fromDense(Float64Array.of(-1), 1) };
    await expect(scalarByFactorisations(problem, [1, 10])).rejects.toThrow('GGN: expected no negative diagonal, got -1.00e+0');
  });
});
