import { SublaceError } from '@sublace/errors';
import { readNpy, readNpz, readSafetensors, type Tensor } from '@sublace/tensor-files';
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
 * Reads a .npz or .safetensors file with arrays `x` and `y`, or `x_train`, `y_train`, `x_test` and `y_test`; the `y` may be missing.
 *
 * @param name  Of the data set.
 * @param path  The file.
 * @param hint  What the targets are for.
 * @returns  One data set, or both parts.
 * @throws SublaceError DATA_INVALID naming the arrays that are there when the expected ones are not.
 */
export async function readArchiveFile(name: string, path: string, hint: LikelihoodHint): Promise<Dataset | SplitSource> {
  const bytes = await readDataFile(path);
  const arrays = inFile(path, () => (path.endsWith('.npz') ? readNpz(bytes) : readSafetensors(bytes).tensors));
  const single = arrays.get('x');
  if (single) return datasetFromTensors(name, single, arrays.get('y'), hint);

  const [xTrain, xTest] = [arrays.get('x_train'), arrays.get('x_test')];
  if (!xTrain || !xTest) {
    throw new SublaceError(
      'DATA_INVALID',
      `${path}: expected arrays x and y, or x_train, y_train, x_test and y_test, got ${[...arrays.keys()].join(', ') || 'none'}`,
    );
  }
  const train = datasetFromTensors(name, xTrain, arrays.get('y_train'), hint);
  const test = datasetFromTensors(name, xTest, arrays.get('y_test'), hint);
  if (train.targets.kind === 'labels' && test.targets.kind === 'labels') {
    // A class may be missing from the smaller part.
    const classCount = Math.max(train.targets.classCount, test.targets.classCount);
    train.targets.classCount = test.targets.classCount = classCount;
  }
  return { train: async () => train, test: async () => test };
}
