import { DOUBLE, flat, matrixOf, naiveSoftmax, product, STANDARD_ERRORS, testRandom, transposed, type Matrix } from '@sublace/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyLink, LINKS, softmax, type GaussianLogits, type Link } from './index.ts';

/** Gaussian logits with a covariance of the given rank. */
function gaussianLogits(classes: number, rank: number, seed: number, scale = 1): GaussianLogits & { root: Matrix } {
  const random = testRandom(seed);
  const mean = Float64Array.from(random.normals(classes, 2));
  const root = matrixOf(random.normals(classes * rank, scale), rank); // covariance = root root'
  return { mean, covariance: flat(product(root, transposed(root))), root };
}

/** softmax( f_c / sqrt(1 + pi/8 v_c) ) */
function naiveProbit({ mean, covariance }: GaussianLogits): number[] {
  const classes = mean.length;
  return naiveSoftmax(Array.from(mean, (f, c) => f / Math.sqrt(1 + (Math.PI * covariance[c * classes + c]) / 8)));
}

/** Mean of the Dirichlet of the Laplace bridge, as laplace-torch computes it. */
function naiveBridge({ mean, covariance }: GaussianLogits, isNormalised: boolean): number[] {
  const classes = mean.length;
  const sigma = matrixOf(covariance, classes);
  const rowSum = sigma.map((row) => row.reduce((a, b) => a + b));
  const total = rowSum.reduce((a, b) => a + b);
  const meanTotal = mean.reduce((a, b) => a + b);
  let mu = Array.from(mean, (f, c) => f - (rowSum[c] * meanTotal) / total);
  let variance = sigma.map((row, c) => row[c] - rowSum[c] ** 2 / total);
  if (isNormalised) {
    const correction = variance.reduce((a, b) => a + b) / classes / Math.sqrt(classes / 2);
    mu = mu.map((value) => value / Math.sqrt(correction));
    variance = variance.map((value) => value / correction);
  }
  const sumOfInverses = mu.reduce((a, f) => a + Math.exp(-f), 0);
  const alpha = mu.map((f, c) => (1 - 2 / classes + (Math.exp(f) * sumOfInverses) / classes ** 2) / variance[c]);
  return alpha.map((value) => value / alpha.reduce((a, b) => a + b));
}

const cases = [2, 3, 10].flatMap((classes) => [1, 2, 3].map((seed) => [classes, seed] as const));

describe('links', () => {
  it.each(cases)('probit and both bridges follow their formulas: %i classes, seed %i', (classes, seed) => {
    const logits = gaussianLogits(classes, classes + 2, seed);
    expect(applyLink('probit', logits)).toBeAllclose(naiveProbit(logits), DOUBLE);
    expect(applyLink('bridge', logits)).toBeAllclose(naiveBridge(logits, false), DOUBLE);
    expect(applyLink('bridge-normalised', logits)).toBeAllclose(naiveBridge(logits, true), DOUBLE);
  });

  it.each([
    [3, 3, 1],
    [4, 2, 2], // a covariance without full rank
    [2, 2, 3],
  ])('Monte Carlo lies within standard errors of a long naive run: %i classes, rank %i', (classes, rank, seed) => {
    const logits = gaussianLogits(classes, rank, seed);
    const random = testRandom(100 + seed);
    const [draws, samples] = [40_000, 20_000];
    const sums = new Array<number>(classes).fill(0);
    const squares = new Array<number>(classes).fill(0);
    for (let s = 0; s < draws; s++) {
      const noise = random.normals(rank);
      const p = naiveSoftmax(logits.root.map((row, c) => logits.mean[c] + row.reduce((total, value, k) => total + value * noise[k], 0)));
      p.forEach((value, c) => {
        sums[c] += value;
        squares[c] += value ** 2;
      });
    }
    const got = applyLink('monte-carlo', logits, { samples, seed: 9 });
    for (const [c, value] of got.entries()) {
      const mean = sums[c] / draws;
      const deviation = Math.sqrt(squares[c] / draws - mean ** 2);
      expect(Math.abs(value - mean)).toBeLessThan(STANDARD_ERRORS * deviation * Math.sqrt(1 / draws + 1 / samples));
    }
  });

  it('Monte Carlo repeats by seed', () => {
    const logits = gaussianLogits(3, 3, 4);
    expect(applyLink('monte-carlo', logits, { seed: 5 })).toEqual(applyLink('monte-carlo', logits, { seed: 5 }));
    expect(applyLink('monte-carlo', logits, { seed: 5 })).not.toEqual(applyLink('monte-carlo', logits, { seed: 6 }));
  });

  it.each(LINKS)('%s is the softmax where there is no variance', (link) => {
    const mean = Float64Array.of(1, -2, 0.5);
    expect(applyLink(link, { mean, covariance: new Float64Array(9) }, { samples: 3 })).toBeAllclose(naiveSoftmax([...mean]), DOUBLE);
  });

  it('probit knows nothing where the variance is huge', () => {
    const covariance = Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? 1e12 : 0));
    expect(applyLink('probit', { mean: Float64Array.of(9, -9, 3), covariance })).toBeAllclose([1 / 3, 1 / 3, 1 / 3], {
      relative: 1e-4,
      scaled: 0,
    }); // 9 / sqrt(pi/8 1e12)
  });

  it('variance that all logits share changes nothing that the bridges say', () => {
    // f + z (1, 1, 1): after the softmax z is gone, and conditioned on zero-sum logits there is no variance left.
    const mean = Float64Array.of(1, -2, 0.5);
    for (const variance of [0.1, 1 / 3, 2, 7e5]) {
      const covariance = new Float64Array(9).fill(variance);
      for (const link of ['bridge', 'bridge-normalised', 'monte-carlo'] as const) {
        expect(applyLink(link, { mean, covariance }), `${link} ${variance}`).toBeAllclose(naiveSoftmax([...mean]), {
          relative: 1e-9,
          scaled: 0,
        }); // large shifts before the softmax
      }
    }
  });

  it('the bridges keep to the softmax where all variance is along one direction', () => {
    // Conditioned on zero-sum logits nothing varies; what is left of the variances is rounding of either sign.
    for (let seed = 0; seed < 50; seed++) {
      const logits = gaussianLogits(4, 1, seed);
      const rounded = { ...logits, covariance: logits.covariance.map(Math.fround) };
      for (const { mean, covariance } of [logits, rounded]) {
        expect(applyLink('bridge', { mean, covariance })).toBeAllclose(naiveSoftmax([...mean]), DOUBLE);
        expect(applyLink('bridge-normalised', { mean, covariance })).toBeAllclose(naiveSoftmax([...mean]), DOUBLE);
      }
    }
  });

  it('the bridges need no correction where the sum of the logits does not vary', () => {
    // C = I - 1/n: zero-sum already. The same variance plus a little of the sum's must give nearly the same.
    const mean = Float64Array.of(1, -2, 1);
    const centred = (extra: number): Float64Array => Float64Array.from({ length: 9 }, (_, i) => Number(i % 4 === 0) - 1 / 3 + extra);
    expect(applyLink('bridge', { mean, covariance: centred(0) })).toBeAllclose(
      applyLink('bridge', { mean, covariance: centred(1e-3) }),
      DOUBLE,
    );
  });
});

/** Logits of 2 to 6 classes with covariances of any rank, also nearly singular ones. */
const anyLogits = fc
  .tuple(
    fc.integer({ min: 2, max: 6 }),
    fc.integer({ min: 1, max: 7 }),
    fc.integer({ min: 0, max: 1e6 }),
    fc.double({ min: -6, max: 4, noNaN: true }),
  )
  .map(([classes, rank, seed, exponent]) => gaussianLogits(classes, rank, seed, 10 ** exponent));

/** One variance for all logits, no covariance. */
function isotropic(classes: number, variance: number): Float64Array {
  return Float64Array.from({ length: classes ** 2 }, (_, i) => (i % (classes + 1) === 0 ? variance : 0));
}

describe.each(LINKS)('%s, for any Gaussian logits', (link: Link) => {
  const options = { samples: 50, seed: 3 };

  it('gives probabilities', () => {
    fc.assert(
      fc.property(anyLogits, (logits) => {
        const p = applyLink(link, logits, options);
        expect(p.every((value) => value >= 0 && value <= 1 + 1e-12)).toBe(true);
        expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('is the same when a constant is added to every mean, the variances being equal', () => {
    fc.assert(
      fc.property(
        anyLogits,
        fc.double({ min: -20, max: 20, noNaN: true }),
        fc.double({ min: 1e-3, max: 100, noNaN: true }),
        ({ mean }, shift, variance) => {
          // With unequal variances probit scales the constant by different factors, and the bridges share it out unequally.
          const covariance = isotropic(mean.length, variance);
          const shifted = mean.map((value) => value + shift);
          expect(applyLink(link, { mean: shifted, covariance }, options)).toBeAllclose(
            link === 'probit'
              ? softmax(mean.map((value) => value / Math.sqrt(1 + (Math.PI / 8) * variance)))
              : applyLink(link, { mean, covariance }, options),
            { relative: 1e-9, scaled: 1e-12 }, // exponentials of shifted arguments
          );
        },
      ),
      { numRuns: 100, seed: 2 },
    );
  });

  it('permutes with the classes', () => {
    if (link === 'monte-carlo') return; // other draws for other orders
    fc.assert(
      fc.property(anyLogits, ({ mean, covariance }) => {
        const classes = mean.length;
        const reversed = covariance.slice().reverse(); // both axes at once
        const p = applyLink(link, { mean: mean.slice().reverse(), covariance: reversed }, options);
        expect(p.reverse()).toBeAllclose(applyLink(link, { mean, covariance }, options), { relative: 1e-6, scaled: 1e-6 }); // sums in another order, nearly singular
        expect(p).toHaveLength(classes);
      }),
      { numRuns: 100, seed: 3 },
    );
  });
});

describe('Monte Carlo', () => {
  it('does not change at all when a constant is added to every mean, whatever the covariance', () => {
    fc.assert(
      fc.property(anyLogits, fc.double({ min: -20, max: 20, noNaN: true }), ({ mean, covariance }, shift) => {
        const shifted = { mean: mean.map((value) => value + shift), covariance };
        expect(applyLink('monte-carlo', shifted, { samples: 20 })).toBeAllclose(
          applyLink('monte-carlo', { mean, covariance }, { samples: 20 }),
          {
            relative: 1e-7,
            scaled: 1e-9,
          },
        ); // draws of up to 1e4 lose digits to the shift
      }),
      { numRuns: 100, seed: 4 },
    );
  });
});

describe('softmax', () => {
  it('is stable for logits whose exponentials are not', () => {
    expect([...softmax(Float64Array.of(1000, 1000, -1000))]).toEqual([0.5, 0.5, 0]);
    expect(softmax(Float64Array.of(0.1, -3, 2))).toBeAllclose(naiveSoftmax([0.1, -3, 2]), DOUBLE);
  });
});
