// cspell:ignore Kunstner Dangel
import { exampleRandom, type Likelihood } from '@sublace/likelihoods';
import type { CurvatureSeeds } from '../curvature-seeds.ts';

/**
 * The Fisher information by K drawn targets per example: rows g / sqrt(K) with g = d log p(y | f_n) / df and y drawn from p(y | f_n).
 *
 *   F = 1/K sum_n sum_k J_n' g_nk g_nk' J_n       (Kunstner et al. 2019, arXiv 1905.12558, section 3; Dangel et al. 2020, arXiv 1912.10985)
 *
 * Its mean over draws is the GGN. It has K rows per example whatever the number of outputs, so it is the cheap choice for many classes. The draws
 * of an example depend on the seed and its position in the data only, not on batches and shards.
 *
 * @param likelihood  How the data are distributed.
 * @param options  Draws.
 * @param options.sampleCount  K.
 * @param options.seed  A safe integer.
 * @returns  The seeds.
 */
export function monteCarloFisher(
  likelihood: Likelihood,
  { sampleCount, seed }: { readonly sampleCount: number; readonly seed: number },
): CurvatureSeeds {
  const scale = 1 / Math.sqrt(sampleCount);
  return {
    seedCount: () => sampleCount,
    seeds(outputs, outputCount, { firstExample }) {
      const seeds = new Float32Array((outputs.length / outputCount) * sampleCount * outputCount);
      for (let n = 0; n * outputCount < outputs.length; n++) {
        const random = exampleRandom(seed, firstExample + n);
        const f = outputs.subarray(n * outputCount, (n + 1) * outputCount);
        for (let k = 0; k < sampleCount; k++) {
          const gradient = likelihood.gradients(f, likelihood.draw(f, random), outputCount);
          for (let c = 0; c < outputCount; c++) seeds[(n * sampleCount + k) * outputCount + c] = scale * gradient[c];
        }
      }
      return seeds;
    },
  };
}
