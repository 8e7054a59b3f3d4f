import type { TestRandom } from '../random.ts';
import { float32Normals, type NaiveMergeLayer } from './layer.ts';

/** Sizes of a multi-head attention. */
export interface AttentionSizes {
  /** H. */
  readonly heads: number;
  /** K, width of a query and a key of one head. */
  readonly keyWidth: number;
  /** V, width of a value of one head. */
  readonly valueWidth: number;
  /** T queries of this width. */
  readonly query: readonly [number, number];
  /** S values of this width. */
  readonly value: readonly [number, number];
  /** S keys of this width. */
  readonly key: readonly [number, number];
  readonly outputWidth: number;
}

type Values = readonly number[];

/**
 * Multi-head attention with random weights, of the inputs query, value and key:
 *
 *   y[t, o] = b_o + sum over h, s, v of p[h, t, s] V[s, h, v] O[h, v, o],  p[h, t] = softmax_s( Q[t, h] . K[s, h] / sqrt(K) )
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param sizes  Sizes.
 * @returns  The layer.
 */
export function randomAttention(random: TestRandom, name: string, sizes: AttentionSizes): NaiveMergeLayer {
  const { heads, keyWidth, valueWidth, query, value, key, outputWidth } = sizes;
  const [queryCount, keyCount] = [query[0], value[0]];
  const weight = (path: string, shape: number[], fanIn: number) => ({
    name: `${name}/${path}`,
    shape,
    values: float32Normals(random, shape, fanIn),
  });
  const weights = [
    weight('query/kernel', [query[1], heads, keyWidth], query[1]),
    weight('query/bias', [heads, keyWidth], 4),
    weight('key/kernel', [key[1], heads, keyWidth], key[1]),
    weight('key/bias', [heads, keyWidth], 4),
    weight('value/kernel', [value[1], heads, valueWidth], value[1]),
    weight('value/bias', [heads, valueWidth], 4),
    weight('attention_output/kernel', [heads, valueWidth, outputWidth], heads * valueWidth),
    weight('attention_output/bias', [outputWidth], 4),
  ];
  const [wq, bq, wk, bk, wv, bv, wo, bo] = weights.map(({ values }) => values);

  /** x W + b at every position. */
  const project = (x: Values, width: number, w: Values, b: Values): number[] =>
    Array.from({ length: (x.length / width) * b.length }, (_, i) => {
      const [position, o] = [Math.floor(i / b.length), i % b.length];
      let sum = b[o];
      for (let e = 0; e < width; e++) sum += x[position * width + e] * w[e * b.length + o];
      return sum;
    });
  /** Gradients of g . project(x). */
  const projectBack = (x: Values, width: number, w: Values, g: Values, outputs: number): { x: number[]; w: number[]; b: number[] } => {
    const gradients = { x: x.map(() => 0), w: w.map(() => 0), b: new Array<number>(outputs).fill(0) };
    for (const [i, go] of g.entries()) {
      const [position, o] = [Math.floor(i / outputs), i % outputs];
      gradients.b[o] += go;
      for (let e = 0; e < width; e++) {
        gradients.x[position * width + e] += w[e * outputs + o] * go;
        gradients.w[e * outputs + o] += x[position * width + e] * go;
      }
    }
    return gradients;
  };

  const run = ([xq, xv, xk]: readonly Values[]) => {
    const [q, k, v] = [project(xq, query[1], wq, bq), project(xk, key[1], wk, bk), project(xv, value[1], wv, bv)];
    const p: number[] = []; // [H, T, S]
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < queryCount; t++) {
        const scores = Array.from({ length: keyCount }, (_, s) => {
          let dot = 0;
          for (let i = 0; i < keyWidth; i++) dot += q[(t * heads + h) * keyWidth + i] * k[(s * heads + h) * keyWidth + i];
          return Math.exp(dot / Math.sqrt(keyWidth));
        });
        const total = scores.reduce((sum, score) => sum + score, 0);
        p.push(...scores.map((score) => score / total));
      }
    const mixed = new Array<number>(queryCount * heads * valueWidth).fill(0);
    visit((h, t, s, i) => {
      mixed[(t * heads + h) * valueWidth + i] += p[(h * queryCount + t) * keyCount + s] * v[(s * heads + h) * valueWidth + i];
    });
    return { q, k, v, p, mixed };
  };
  /** Every head, query, key and element of a value. */
  const visit = (each: (h: number, t: number, s: number, i: number) => void): void => {
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < queryCount; t++) for (let s = 0; s < keyCount; s++) for (let i = 0; i < valueWidth; i++) each(h, t, s, i);
  };

  return {
    className: 'MultiHeadAttention',
    config: { name, num_heads: heads, key_dim: keyWidth, value_dim: valueWidth, use_bias: true, output_shape: null, attention_axes: [1] },
    weights,
    merge: (inputs) => project(run(inputs).mixed, heads * valueWidth, wo, bo),
    unmerge: (inputs, g) => {
      const { q, k, v, p, mixed } = run(inputs);
      const out = projectBack(mixed, heads * valueWidth, wo, g, outputWidth);
      const [dp, dv] = [p.map(() => 0), v.map(() => 0)];
      visit((h, t, s, i) => {
        const go = out.x[(t * heads + h) * valueWidth + i];
        dp[(h * queryCount + t) * keyCount + s] += go * v[(s * heads + h) * valueWidth + i];
        dv[(s * heads + h) * valueWidth + i] += go * p[(h * queryCount + t) * keyCount + s];
      });
      const [dq, dk] = [q.map(() => 0), k.map(() => 0)];
      for (let h = 0; h < heads; h++)
        for (let t = 0; t < queryCount; t++) {
          const start = (h * queryCount + t) * keyCount;
          const mean = p.slice(start, start + keyCount).reduce((sum, value_, s) => sum + value_ * dp[start + s], 0);
          for (let s = 0; s < keyCount; s++) {
            const ds = (p[start + s] * (dp[start + s] - mean)) / Math.sqrt(keyWidth);
            for (let i = 0; i < keyWidth; i++) {
              dq[(t * heads + h) * keyWidth + i] += ds * k[(s * heads + h) * keyWidth + i];
              dk[(s * heads + h) * keyWidth + i] += ds * q[(t * heads + h) * keyWidth + i];
            }
          }
        }
      const [xq, xv, xk] = inputs;
      const back = [
        projectBack(xq, query[1], wq, dq, heads * keyWidth),
        projectBack(xk, key[1], wk, dk, heads * keyWidth),
        projectBack(xv, value[1], wv, dv, heads * valueWidth),
      ];
      return { weights: [...back, out].flatMap(({ w, b }) => [...w, ...b]), inputs: [back[0].x, back[2].x, back[1].x] };
    },
  };
}
