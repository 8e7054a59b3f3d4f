import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import type { Dataset, SplitSource } from '../dataset.ts';
import { readCifar } from './cifar.ts';
import { inFile, readDataFile } from './data-file.ts';
import { datasetFromTensors, type LikelihoodHint } from './from-tensors.ts';
import { readIdx } from './idx.ts';

/**
 * A folder with the four files of the MNIST layout (`train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, ..., each may end in .gz).
 *
 * @param name  Of the data set.
 * @param folder  Where they lie.
 * @param classCount  C where it is known; default: largest label plus one.
 * @returns  Both parts, grey images [H, W, 1], 0..255.
 */
export function idxFolder(name: string, folder: string, classCount?: number): SplitSource {
  const part = async (prefix: string): Promise<Dataset> => {
    const images = gzOrPlain(join(folder, `${prefix}-images-idx3-ubyte`));
    const labels = gzOrPlain(join(folder, `${prefix}-labels-idx1-ubyte`));
    const dataset = await readIdxFile(name, images, labels, 'classification');
    // Labels beyond the known classes are refused by checkLabels when the set is loaded.
    if (classCount !== undefined && dataset.targets.kind === 'labels') dataset.targets.classCount = classCount;
    return dataset;
  };
  return { train: () => part('train'), test: () => part('t10k') };
}

/**
 * Reads an IDX file of inputs and one of labels.
 *
 * @param name  Of the data set.
 * @param path  Inputs.
 * @param labelsPath  Labels; undefined: none.
 * @param hint  What the targets are for.
 * @returns  The data set.
 * @throws SublaceError DATA_INVALID.
 */
export async function readIdxFile(name: string, path: string, labelsPath: string | undefined, hint: LikelihoodHint): Promise<Dataset> {
  const bytes = await readDataFile(path);
  const x = inFile(path, () => readIdx(bytes));
  if (labelsPath === undefined) return datasetFromTensors(name, x, undefined, hint);
  const labelBytes = await readDataFile(labelsPath);
  return datasetFromTensors(
    name,
    x,
    inFile(labelsPath, () => readIdx(labelBytes)),
    hint,
  );
}

/**
 * A folder with CIFAR-10 binary batches (`data_batch_1.bin` ..., `test_batch.bin`, each may end in .gz, or be a first part of it).
 *
 * @param name  Of the data set.
 * @param folder  Where they lie.
 * @returns  Both parts, colour images [32, 32, 3], 0..255.
 */
export function cifarFolder(name: string, folder: string): SplitSource {
  const part = async (pattern: RegExp): Promise<Dataset> => {
    const found = (await readdir(folder)).filter((file) => pattern.test(file)).sort();
    const files = found.filter((file) => !(file.endsWith('.gz') && found.includes(file.slice(0, -'.gz'.length))));
    if (files.length === 0)
      throw new SublaceError(
        'DATA_INVALID',
        `${folder}: expected CIFAR-10 batches (data_batch_1.bin ..., test_batch.bin), got none that match ${pattern.source}`,
      );
    const batches: Uint8Array[] = [];
    for (const file of files) batches.push(await readDataFile(join(folder, file)));
    return readCifar(name, batches);
  };
  return { train: () => part(/^data_batch_[1-5]\.bin(\.gz)?$/), test: () => part(/^test_batch.*\.bin(\.gz)?$/) };
}

function gzOrPlain(path: string): string {
  return existsSync(path) || !existsSync(`${path}.gz`) ? path : `${path}.gz`;
}
