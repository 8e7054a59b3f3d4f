import { SublaceError } from '@sublace/errors';
import { readNpy, readNpz, readSafetensors, toFloat32, type Tensor } from '@sublace/tensor-files';
import type { Dataset, SplitSource } from '../dataset.ts';
import { inFile, readDataFile } from './data-file.ts';
import { datasetFromTensors, type LikelihoodHint } from './from-tensors.ts';

/**
 * Reads a .npy file of inputs, with targets from a second one if there is one.
 *
 * @param name  Of the data set.
 * @param path  Inputs, [N, ...].
 * @param labelsPath  Targets, [N] or [N, width].
 * @param hint  What the targets are for.
 * @returns  The data set.
 * @throws SublaceError DATA_INVALID.
 */
export async function readNpyFile(name: string, path: string, labelsPath: string | undefined, hint: LikelihoodHint): Promise<Dataset> {
  const read = async (file: string): Promise<Tensor> => {
    const bytes = await readDataFile(file);
    return inFile(file, () => readNpy(bytes));
  };
  return datasetFromTensors(name, await read(path), labelsPath === undefined ? undefined : await read(labelsPath), hint);
}

/**
 * Reads a .npz or .safetensors file with arrays `x` and `y`, or `x_train`, `y_train`, `x_test` and `y_test`; the `y` may be missing. For a
 * model with several inputs other names take the place of `x`: each example is then one flat vector, its inputs one after the other.
 *
 * @param name  Of the data set.
 * @param path  The file.
 * @param hint  What the targets are for.
 * @param inputs  Names of the inputs, in the model's order.
 * @returns  One data set, or both parts.
 * @throws SublaceError DATA_INVALID naming the arrays that are there when the expected ones are not.
 */
export async function readArchiveFile(
  name: string,
  path: string,
  hint: LikelihoodHint,
  inputs: readonly string[] = ['x'],
): Promise<Dataset | SplitSource> {
  const bytes = await readDataFile(path);
  const arrays = inFile(path, () => (path.endsWith('.npz') ? readNpz(bytes) : readSafetensors(bytes).tensors));
  const found = (suffix: string): Tensor[] => inputs.flatMap((input) => arrays.get(`${input}${suffix}`) ?? []);
  const single = found('');
  if (single.length === inputs.length) return datasetFromTensors(name, joined(name, single), arrays.get('y'), hint);

  const [xTrain, xTest] = [found('_train'), found('_test')];
  if (xTrain.length < inputs.length || xTest.length < inputs.length) {
    const [whole, train, test] = ['', '_train', '_test'].map((suffix) => inputs.map((input) => `${input}${suffix}`).join(', '));
    throw new SublaceError(
      'DATA_INVALID',
      `${path}: expected arrays ${whole} and y, or ${train}, y_train, ${test} and y_test, got ${[...arrays.keys()].join(', ') || 'none'}`,
    );
  }
  const train = datasetFromTensors(name, joined(name, xTrain), arrays.get('y_train'), hint);
  const test = datasetFromTensors(name, joined(name, xTest), arrays.get('y_test'), hint);
  if (train.targets.kind === 'labels' && test.targets.kind === 'labels') {
    // A class may be missing from the smaller part.
    const classCount = Math.max(train.targets.classCount, test.targets.classCount);
    train.targets.classCount = test.targets.classCount = classCount;
  }
  return { train: async () => train, test: async () => test };
}

/** Several arrays [N, ...] as one, [N, sum of sizes]; a single one as it is. */
function joined(name: string, parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0];
  const count = parts[0].shape[0];
  const shapes = parts.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
  if (parts.some(({ shape }) => shape.length === 0 || shape[0] !== count))
    throw new SublaceError('DATA_INVALID', `${name}: expected inputs with the same number of examples, got ${shapes}`);
  const values = parts.map((part) => toFloat32(part));
  const widths = values.map(({ length }) => (count === 0 ? 0 : length / count));
  const total = widths.reduce((sum, width) => sum + width, 0);
  const data = new Float32Array(count * total);
  let start = 0;
  for (const [i, width] of widths.entries()) {
    for (let n = 0; n < count; n++) data.set(values[i].subarray(n * width, (n + 1) * width), n * total + start);
    start += width;
  }
  return { dtype: 'F32', shape: [count, total], data };
}
