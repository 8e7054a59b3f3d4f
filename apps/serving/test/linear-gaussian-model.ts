import type { NamedModel } from '../src/models/model-repository.ts';
import type { LoadedModel, ModelAnswer, ModelRequest, OutputTensor } from '../src/models/model.ts';

/**
 * Bayesian linear regression with two outputs, solved in closed form: a real posterior that needs no runtime.
 *
 *   P = X'X / noiseVariance + I,  covariance = P^-1,  weights = covariance X'Y / noiseVariance
 *   mean(x) = x' weights,  variance(x) = x' covariance x  (the same for both outputs)
 *
 * @returns  The model, and its predictive in float64 for comparison.
 */
export function linearGaussianModel(): LoadedModel & { predict(x: readonly number[]): { mean: number[]; variance: number } } {
  const noiseVariance = 0.25;
  const X = Array.from({ length: 12 }, (_, i) => [1, Math.sin(i), (i - 6) / 4]);
  const Y = X.map(([a, b, c]) => [2 * a - b + 0.5 * c, a + 3 * c]);
  const covariance = inverse(
    [0, 1, 2].map((i) => [0, 1, 2].map((j) => sum(X.map((row) => row[i] * row[j])) / noiseVariance + (i === j ? 1 : 0))),
  );
  const XtY = [0, 1, 2].map((i) => [0, 1].map((d) => sum(X.map((row, n) => row[i] * Y[n][d])) / noiseVariance));
  const weights = covariance.map((row) => [0, 1].map((d) => sum(row.map((value, k) => value * XtY[k][d]))));
  const predict = (x: readonly number[]): { mean: number[]; variance: number } => ({
    mean: [0, 1].map((d) => sum(x.map((value, i) => value * weights[i][d]))),
    variance: sum(x.map((value, i) => value * sum(x.map((other, j) => covariance[i][j] * other)))),
  });
  const columns: Record<string, (x: readonly number[]) => number[]> = {
    mean: (x) => predict(x).mean,
    variance: (x) => [predict(x).variance, predict(x).variance],
    noise_variance: () => [noiseVariance, noiseVariance],
    std: (x) => [0, 1].map(() => Math.sqrt(predict(x).variance + noiseVariance)),
  };
  const answer = ({ input, count, outputs, parameters }: ModelRequest): ModelAnswer => {
    const unknown = Object.keys(parameters).find((parameter) => parameter !== 'seed');
    if (unknown) return { error: { code: 'INVALID_ARGUMENT', message: `expected parameter seed, got '${unknown}'` } };
    const rows = Array.from({ length: count }, (_, n) => Array.from(input.subarray(3 * n, 3 * n + 3)));
    return {
      outputs: outputs.map((name): OutputTensor => {
        return { name, datatype: 'FP32', shape: [count, 2], data: Float32Array.from(rows.flatMap(columns[name])) };
      }),
    };
  };
  return {
    description: {
      platform: 'sublace_laplace',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 3] }],
      outputs: Object.keys(columns).map((name) => ({ name, datatype: 'FP32', shape: [-1, 2] })),
      defaultOutputs: ['mean', 'variance'],
      properties: { likelihood: 'regression' },
      card: {},
      memoryBytes: 0,
    },
    predict,
    infer: (requests) => Promise.resolve(requests.map(answer)),
    dispose: () => Promise.resolve(),
  };
}

/**
 * A model under a name, loaded already.
 *
 * @param model  It.
 * @param name  Name that requests use.
 * @param version  Its version.
 * @returns  For `startServer`.
 */
export function named(model: LoadedModel, name = 'linear', version = '1'): NamedModel {
  return { name, version, load: () => Promise.resolve(model) };
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

/** Gauss-Jordan without pivoting: the matrix is positive definite. */
function inverse(matrix: number[][]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))]);
  for (let i = 0; i < n; i += 1) {
    rows[i] = rows[i].map((value) => value / rows[i][i]);
    for (let k = 0; k < n; k += 1) if (k !== i) rows[k] = rows[k].map((value, j) => value - rows[k][i] * rows[i][j]);
  }
  return rows.map((row) => row.slice(n));
}
