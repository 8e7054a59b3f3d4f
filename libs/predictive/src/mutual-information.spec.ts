import { flat, matrixOf, naiveSoftmax, product, STANDARD_ERRORS, testRandom, transposed, type Matrix } from '@sublace/testing';
import { describe, expect, it } from 'vitest';
import { applyLink, mutualInformation, sigmoidMutualInformation, sigmoidProbabilities } from './index.ts';

const entropy = (p: readonly number[]): number => p.reduce((sum, value) => sum - (value > 0 ? value * Math.log(value) : 0), 0);

/** H[E p] - E H[p] over many draws of root z + mean, with the standard error of E H[p]. */
function naive(mean: readonly number[], root: Matrix, draws: number): { information: number; error: number } {
  const random = testRandom(77);
  const sums = mean.map(() => 0);
  let [total, squares] = [0, 0];
  for (let s = 0; s < draws; s++) {
    const noise = random.normals(root[0].length);
    const p = naiveSoftmax(mean.map((f, c) => f + root[c].reduce((shift, value, k) => shift + value * noise[k], 0)));
    p.forEach((value, c) => (sums[c] += value));
    const h = entropy(p);
    total += h;
    squares += h * h;
  }
  const conditional = total / draws;
  return { information: entropy(sums.map((value) => value / draws)) - conditional, error: Math.sqrt(squares / draws - conditional ** 2) };
}

describe('mutualInformation', () => {
  it.each([
    [2, 2, 1],
    [4, 4, 2],
    [4, 2, 3], // a covariance without full rank
  ])('is that of a long naive run, within standard errors: %i classes, rank %i', (classes, rank, seed) => {
    const random = testRandom(seed);
    const mean = random.normals(classes, 2);
    const root = matrixOf(random.normals(classes * rank, 1.5), rank);
    const [draws, samples] = [40_000, 20_000];
    const expected = naive(mean, root, draws);
    const covariance = flat(product(root, transposed(root)));
    const got = mutualInformation({ mean: Float64Array.from(mean), covariance }, { samples, seed: 9 });
    expect(got).toBeGreaterThan(0.01);
    // The entropy of the average varies with the draws too, about as much.
    expect(Math.abs(got - expected.information)).toBeLessThan(2 * STANDARD_ERRORS * expected.error * Math.sqrt(1 / draws + 1 / samples));
  });

  it('takes the draws of the Monte Carlo link, so that it is less than the entropy of its probabilities', () => {
    const random = testRandom(4);
    const logits = { mean: Float64Array.from(random.normals(3)), covariance: Float64Array.of(4, 1, 0, 1, 3, 0, 0, 0, 9) };
    const single = { samples: 1, seed: 3 };
    expect(mutualInformation(logits, single)).toBeCloseTo(0, 12); // the only draw is the average
    const total = entropy([...applyLink('monte-carlo', logits, { samples: 300, seed: 3 })]);
    const information = mutualInformation(logits, { samples: 300, seed: 3 });
    expect(information).toBeGreaterThan(0.1);
    expect(information).toBeLessThan(total);
    expect(mutualInformation(logits, { samples: 300, seed: 3 })).toBe(information);
    expect(mutualInformation(logits, { samples: 300, seed: 4 })).not.toBe(information);
  });

  it('is nothing where the function is known, and nearly log C where it says everything', () => {
    const mean = Float64Array.of(1, -2, 0.5);
    expect(mutualInformation({ mean, covariance: new Float64Array(9) })).toBeCloseTo(0, 12);
    const covariance = Float64Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? 1e8 : 0));
    expect(mutualInformation({ mean, covariance }, { samples: 20_000 })).toBeCloseTo(Math.log(3), 2);
  });
});

describe('sigmoidMutualInformation', () => {
  it('is the integral over each logit, summed over answers', () => {
    const [mean, variance] = [Float64Array.of(0.3, -2), Float64Array.of(4, 0.5)];
    const binaryEntropy = (p: number): number => entropy([p, 1 - p]);
    const expected = mean.reduce((sum, f, c) => {
      const [steps, width] = [4001, 16 * Math.sqrt(variance[c])];
      let [yes, conditional, weights] = [0, 0, 0];
      for (let i = 0; i < steps; i++) {
        const x = (i / (steps - 1) - 0.5) * width;
        const weight = Math.exp((-0.5 * x * x) / variance[c]);
        const p = 1 / (1 + Math.exp(-f - x));
        weights += weight;
        yes += weight * p;
        conditional += weight * binaryEntropy(p);
      }
      return sum + binaryEntropy(yes / weights) - conditional / weights;
    }, 0);
    const samples = 40_000;
    const got = sigmoidMutualInformation({ mean, variance }, { samples, seed: 2 });
    expect(Math.abs(got - expected)).toBeLessThan(2 * STANDARD_ERRORS * 0.3 * Math.sqrt(2 / samples)); // an entropy varies by less than 0.3
  });

  it('takes the draws of the Monte Carlo link, and agrees with the softmax over two classes', () => {
    const logits = { mean: Float64Array.of(0.7), variance: Float64Array.of(2) };
    const probabilities = [...sigmoidProbabilities('monte-carlo', logits, { samples: 50, seed: 6 })];
    const information = sigmoidMutualInformation(logits, { samples: 50, seed: 6 });
    expect(information).toBeLessThan(entropy(probabilities));
    // The first logit has no variance, so that its draws are used up without effect: the same distribution, other draws.
    const covariance = Float64Array.of(0, 0, 0, 2);
    const pair = mutualInformation({ mean: Float64Array.of(0, 0.7), covariance }, { samples: 40_000 });
    expect(sigmoidMutualInformation(logits, { samples: 40_000 }) / pair).toBeCloseTo(1, 1);
    expect(sigmoidMutualInformation({ mean: logits.mean, variance: Float64Array.of(0) })).toBeCloseTo(0, 12);
  });
});
