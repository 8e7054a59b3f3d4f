import * as tf from '@tensorflow/tfjs';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { CholeskyOutcome, Float64Matrix, Float64Ops } from './float64-ops.ts';

interface PlainMatrix extends Float64Matrix {
  readonly values: Float64Array;
}

/** Float64 linear algebra in plain TypeScript: for WebAssembly, and the readable twin of the native operations. */
export class PlainFloat64 implements Float64Ops {
  upload(values: Float64Array, shape: readonly [number, number]): Float64Matrix {
    return matrix(values.slice(), shape);
  }

  download(a: Float64Matrix): Float64Array {
    return valuesOf(a).slice();
  }

  fromTensor(tensor: tf.Tensor): Float64Matrix {
    return matrix(Float64Array.from(tensor.dataSync()), [tensor.shape[0], tensor.shape[1] as number]);
  }

  toTensor(a: Float64Matrix): tf.Tensor {
    return tf.tensor2d(Float32Array.from(valuesOf(a)), [a.shape[0], a.shape[1]]);
  }

  matMul(a: Float64Matrix, b: Float64Matrix, options: { transposeA?: boolean; transposeB?: boolean } = {}): Float64Matrix {
    const left = options.transposeA ? transpose(a) : a; // [n, m]
    const right = options.transposeB ? b : transpose(b); // [k, m], so that both inner loops are contiguous
    const [n, m] = left.shape;
    const k = right.shape[0];
    const [x, y, product] = [valuesOf(left), valuesOf(right), new Float64Array(n * k)];
    for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) product[i * k + j] = dot(x, i * m, y, j * m, m);
    return matrix(product, [n, k]);
  }

  subtract(a: Float64Matrix, b: Float64Matrix): Float64Matrix {
    const y = valuesOf(b);
    return matrix(
      valuesOf(a).map((value, i) => value - y[i]),
      a.shape,
    );
  }

  transpose(a: Float64Matrix): Float64Matrix {
    return transpose(a);
  }

  concat(matrices: readonly Float64Matrix[], axis: 0 | 1): Float64Matrix {
    const extent = matrices.reduce((sum, { shape }) => sum + shape[axis], 0);
    const rows = axis === 0 ? extent : matrices[0].shape[0];
    const columns = axis === 0 ? matrices[0].shape[1] : extent;
    const values = new Float64Array(rows * columns);
    let [top, left] = [0, 0];
    for (const part of matrices) {
      const [height, width] = part.shape;
      for (let r = 0; r < height; r++) values.set(valuesOf(part).subarray(r * width, (r + 1) * width), (top + r) * columns + left);
      if (axis === 0) top += height;
      else left += width;
    }
    return matrix(values, [rows, columns]);
  }

  sliceRows(a: Float64Matrix, start: number, count: number): Float64Matrix {
    const columns = a.shape[1];
    return matrix(valuesOf(a).slice(start * columns, (start + count) * columns), [count, columns]);
  }

  sliceColumns(a: Float64Matrix, start: number, count: number): Float64Matrix {
    const [rows, columns] = a.shape;
    const values = new Float64Array(rows * count);
    for (let r = 0; r < rows; r++) values.set(valuesOf(a).subarray(r * columns + start, r * columns + start + count), r * count);
    return matrix(values, [rows, count]);
  }

  cholesky(a: Float64Matrix): CholeskyOutcome {
    const n = a.shape[0];
    const source = valuesOf(a);
    const l = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const remainder = source[i * n + j] - dot(l, i * n, l, j * n, j);
        if (i !== j) l[i * n + j] = remainder / l[j * n + j];
        else if (remainder > 0) l[i * n + i] = Math.sqrt(remainder);
        else return { status: 'not-positive-definite' };
      }
    }
    return { status: 'ok', factor: matrix(l, a.shape) };
  }

  triangularSolve(lower: Float64Matrix, b: Float64Matrix, options: { adjoint?: boolean } = {}): Float64Matrix {
    const [n, k] = b.shape;
    const l = valuesOf(lower);
    const x = valuesOf(b).slice();
    const eliminate = (i: number, j: number, factor: number): void => {
      if (factor !== 0) for (let c = 0; c < k; c++) x[i * k + c] -= factor * x[j * k + c];
    };
    const divide = (i: number): void => {
      for (let c = 0; c < k; c++) x[i * k + c] /= l[i * n + i];
    };
    if (options.adjoint) {
      for (let i = n - 1; i >= 0; i--) {
        for (let j = i + 1; j < n; j++) eliminate(i, j, l[j * n + i]);
        divide(i);
      }
    } else {
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) eliminate(i, j, l[i * n + j]);
        divide(i);
      }
    }
    return matrix(x, b.shape);
  }

  symmetricEigen(a: Float64Matrix): { values: Float64Array; vectors: Float64Matrix } {
    const source = Matrix.from1DArray(a.shape[0], a.shape[1], valuesOf(a));
    // Householder tridiagonalisation and QL iteration; eigenvalues come out ascending.
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(source, { assumeSymmetric: true });
    return { values: Float64Array.from(realEigenvalues), vectors: matrix(Float64Array.from(eigenvectorMatrix.to1DArray()), a.shape) };
  }

  dispose(): void {
    // Plain arrays are the garbage collector's.
  }
}

function matrix(values: Float64Array, shape: readonly [number, number]): PlainMatrix {
  return { values, shape };
}

function valuesOf(a: Float64Matrix): Float64Array {
  return (a as PlainMatrix).values;
}

function transpose(a: Float64Matrix): PlainMatrix {
  const [n, m] = a.shape;
  const values = valuesOf(a);
  const result = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) result[j * n + i] = values[i * m + j];
  return matrix(result, [m, n]);
}

function dot(x: Float64Array, xStart: number, y: Float64Array, yStart: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += x[xStart + i] * y[yStart + i];
  return sum;
}
