import * as tf from '@tensorflow/tfjs';
import { activeBackend } from '../start-backend.ts';
import type { CholeskyOutcome, Float64Matrix, Float64Ops } from './float64-ops.ts';

/** The part of the addon's binding that runs any TensorFlow operation on tensors of any type. */
interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}
interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean;
}
interface NativeBackend {
  readonly binding: {
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_INT: number;
    executeOp(name: string, attributes: readonly Attribute[], inputIds: readonly number[], outputCount: number): TensorMetadata[];
    deleteTensor(id: number): void;
  };
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  /** Gives the engine's own, tracked tensor. */
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
}

/** TensorFlow's type numbers. */
const FLOAT = 1;
const DOUBLE = 2;
const INT32 = 3;

/** Right-hand sides per thread from which a triangular solve is worth cutting up. */
const SOLVE_COLUMNS_MIN = 64;

interface NativeMatrix extends Float64Matrix {
  readonly id: number;
}

/**
 * Float64 linear algebra by raw TensorFlow operations.
 *
 * Values go in and out by Bitcast between float64 [r, c] and int32 [r, c, 2], since the addon cannot read float64 tensors.
 */
export class NativeFloat64 implements Float64Ops {
  readonly #backend = tf.backend() as unknown as NativeBackend;

  upload(values: Float64Array, shape: readonly [number, number]): Float64Matrix {
    const halves = tf.tensor(new Int32Array(values.buffer, values.byteOffset, values.length * 2), [...shape, 2], 'int32');
    const bits = this.#backend.getInputTensorIds([halves]);
    const matrix = this.#run('Bitcast', [this.#type('T', INT32), this.#type('type', DOUBLE)], bits, shape);
    halves.dispose();
    return matrix;
  }

  download(matrix: Float64Matrix): Float64Array {
    const [output] = this.#execute('Bitcast', [this.#type('T', DOUBLE), this.#type('type', INT32)], [idOf(matrix)], 1);
    const halves = this.#tensor(output);
    const values = halves.dataSync() as Int32Array;
    halves.dispose();
    return new Float64Array(values.buffer, values.byteOffset, values.length / 2);
  }

  fromTensor(tensor: tf.Tensor): Float64Matrix {
    const ids = this.#backend.getInputTensorIds([tensor]);
    const attributes = [this.#type('SrcT', FLOAT), this.#type('DstT', DOUBLE), this.#flag('Truncate', false)];
    return this.#run('Cast', attributes, ids, [tensor.shape[0], tensor.shape[1] as number]);
  }

  toTensor(matrix: Float64Matrix): tf.Tensor {
    const attributes = [this.#type('SrcT', DOUBLE), this.#type('DstT', FLOAT), this.#flag('Truncate', false)];
    const [output] = this.#execute('Cast', attributes, [idOf(matrix)], 1);
    return this.#tensor(output);
  }

  matMul(a: Float64Matrix, b: Float64Matrix, options: { transposeA?: boolean; transposeB?: boolean } = {}): Float64Matrix {
    const { transposeA = false, transposeB = false } = options;
    const attributes = [this.#type('T', DOUBLE), this.#flag('transpose_a', transposeA), this.#flag('transpose_b', transposeB)];
    return this.#run('MatMul', attributes, [idOf(a), idOf(b)], [a.shape[transposeA ? 1 : 0], b.shape[transposeB ? 0 : 1]]);
  }

  subtract(a: Float64Matrix, b: Float64Matrix): Float64Matrix {
    return this.#run('Sub', [this.#type('T', DOUBLE)], [idOf(a), idOf(b)], a.shape);
  }

  transpose(a: Float64Matrix): Float64Matrix {
    const attributes = [this.#type('T', DOUBLE), this.#type('Tperm', INT32)];
    return this.#withIntegers([[1, 0]], ([order]) => this.#run('Transpose', attributes, [idOf(a), order], [a.shape[1], a.shape[0]]));
  }

  concat(matrices: readonly Float64Matrix[], axis: 0 | 1): Float64Matrix {
    // ConcatV2 insists on two.
    if (matrices.length === 1) return this.#run('Identity', [this.#type('T', DOUBLE)], [idOf(matrices[0])], matrices[0].shape);
    const count = { name: 'N', type: this.#backend.binding.TF_ATTR_INT, value: matrices.length };
    const attributes = [count, this.#type('T', DOUBLE), this.#type('Tidx', INT32)];
    const extent = matrices.reduce((sum, { shape }) => sum + shape[axis], 0);
    const shape: [number, number] = axis === 0 ? [extent, matrices[0].shape[1]] : [matrices[0].shape[0], extent];
    return this.#withIntegers([axis], ([along]) => this.#run('ConcatV2', attributes, [...matrices.map(idOf), along], shape));
  }

  sliceRows(a: Float64Matrix, start: number, count: number): Float64Matrix {
    return this.#slice(a, [start, 0], [count, a.shape[1]]);
  }

  sliceColumns(a: Float64Matrix, start: number, count: number): Float64Matrix {
    return this.#slice(a, [0, start], [a.shape[0], count]);
  }

  cholesky(a: Float64Matrix): CholeskyOutcome {
    let factor: Float64Matrix;
    try {
      factor = this.#run('Cholesky', [this.#type('T', DOUBLE)], [idOf(a)], a.shape);
    } catch (error) {
      if (error instanceof Error && error.message.includes('Cholesky decomposition was not successful'))
        return { status: 'not-positive-definite' };
      throw error;
    }
    // On a GPU a failed factorisation is not an error but a factor full of NaN.
    if (this.#hasNaN(factor)) {
      this.dispose(factor);
      return { status: 'not-positive-definite' };
    }
    return { status: 'ok', factor };
  }

  triangularSolve(lower: Float64Matrix, b: Float64Matrix, options: { adjoint?: boolean } = {}): Float64Matrix {
    const attributes = [this.#type('T', DOUBLE), this.#flag('lower', true), this.#flag('adjoint', options.adjoint ?? false)];
    const solve = (right: number): number => this.#execute('MatrixTriangularSolve', attributes, [idOf(lower), right], 1)[0].id;
    const parts = Math.min(activeBackend().threads, Math.floor(b.shape[1] / SOLVE_COLUMNS_MIN));
    // TensorFlow solves in one thread per matrix of a batch.
    if (parts < 2 || b.shape[1] % parts !== 0) return { id: solve(idOf(b)), shape: b.shape } as NativeMatrix;
    return this.#inBatch(b, parts, solve);
  }

  symmetricEigen(a: Float64Matrix): { values: Float64Array; vectors: Float64Matrix } {
    const attributes = [this.#type('T', DOUBLE), this.#flag('compute_v', true)];
    const [values, vectors] = this.#execute('SelfAdjointEigV2', attributes, [idOf(a)], 2);
    const row: NativeMatrix = { id: values.id, shape: [1, a.shape[0]] };
    const result = this.download(row);
    this.dispose(row);
    const columns: NativeMatrix = { id: vectors.id, shape: a.shape };
    return { values: result, vectors: columns };
  }

  dispose(...matrices: readonly Float64Matrix[]): void {
    for (const matrix of matrices) this.#backend.binding.deleteTensor(idOf(matrix));
  }

  #slice(a: Float64Matrix, begin: [number, number], size: [number, number]): Float64Matrix {
    const attributes = [this.#type('T', DOUBLE), this.#type('Index', INT32)];
    return this.#withIntegers([begin, size], (bounds) => this.#run('Slice', attributes, [idOf(a), ...bounds], size));
  }

  /** Operands that say where rather than what are small int32 tensors. */
  #withIntegers<T>(operands: readonly (number | number[])[], act: (ids: number[]) => T): T {
    const tensors = operands.map((operand) => tf.tensor(operand, undefined, 'int32'));
    const result = act(this.#backend.getInputTensorIds(tensors));
    tf.dispose(tensors);
    return result;
  }

  /** Runs an operation on the columns of a matrix, cut into the matrices of a batch. */
  #inBatch(matrix: Float64Matrix, parts: number, run: (batch: number) => number): Float64Matrix {
    const { binding } = this.#backend;
    const width = matrix.shape[1] / parts;
    const cut = Array.from({ length: parts }, (_, i) => this.sliceColumns(matrix, i * width, width));
    const attributes = [this.#type('T', DOUBLE), { name: 'axis', type: binding.TF_ATTR_INT, value: 0 }];
    const [batch] = this.#execute('Pack', [{ name: 'N', type: binding.TF_ATTR_INT, value: parts }, ...attributes], cut.map(idOf), 1);
    this.dispose(...cut);
    const result = run(batch.id);
    const unpacked = this.#execute('Unpack', [{ name: 'num', type: binding.TF_ATTR_INT, value: parts }, ...attributes], [result], parts);
    binding.deleteTensor(batch.id);
    binding.deleteTensor(result);
    const columns = unpacked.map(({ id }): NativeMatrix => ({ id, shape: [matrix.shape[0], width] }));
    const joined = this.concat(columns, 1);
    this.dispose(...columns);
    return joined;
  }

  #hasNaN(matrix: Float64Matrix): boolean {
    const rounded = this.toTensor(matrix);
    const sum = tf.tidy(() => tf.sum(rounded).dataSync()[0]);
    rounded.dispose();
    return Number.isNaN(sum);
  }

  #execute(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputCount: number): TensorMetadata[] {
    return this.#backend.binding.executeOp(name, attributes, inputs, outputCount);
  }

  #run(name: string, attributes: readonly Attribute[], inputs: readonly number[], shape: readonly [number, number]): NativeMatrix {
    const [output] = this.#execute(name, attributes, inputs, 1);
    return { id: output.id, shape };
  }

  #tensor(metadata: TensorMetadata): tf.Tensor {
    return this.#backend.createOutputTensor(metadata);
  }

  #type(name: string, value: number): Attribute {
    return { name, type: this.#backend.binding.TF_ATTR_TYPE, value };
  }

  #flag(name: string, value: boolean): Attribute {
    return { name, type: this.#backend.binding.TF_ATTR_BOOL, value };
  }
}

function idOf(matrix: Float64Matrix): number {
  return (matrix as NativeMatrix).id;
}
