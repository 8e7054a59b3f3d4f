import type { TestRandom } from '../random.ts';
import { float32Normals, type NaiveLayer } from './layer.ts';

/**
 * A table with random rows, looked up by token: y[q, e] = W[token[q], e].
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param vocabulary  Rows.
 * @param width  E.
 * @returns  The layer.
 */
export function randomEmbedding(random: TestRandom, name: string, vocabulary: number, width: number): NaiveLayer {
  const table = float32Normals(random, [vocabulary, width], 1);
  return {
    className: 'Embedding',
    config: { name, input_dim: vocabulary, output_dim: width, mask_zero: false },
    weights: [{ name: `${name}/embeddings`, shape: [vocabulary, width], values: table }],
    forward: (tokens) => tokens.flatMap((token) => table.slice(token * width, (token + 1) * width)),
    backward: (tokens, g) => {
      const weights = table.map(() => 0);
      for (const [q, token] of tokens.entries()) for (let e = 0; e < width; e++) weights[token * width + e] += g[q * width + e];
      return { weights, input: tokens.map(() => 0) };
    },
  };
}
