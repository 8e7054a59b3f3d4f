// cspell:words Foong Lobato
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import type { Dataset, SplitSource } from '../dataset.ts';
import { takeExamples } from '../subsets.ts';
import { readDataFile } from './data-file.ts';

/** Which of the published splits: random ones, or those that hold out the middle third along one feature (Foong et al. 2019). */
export interface UciVariant {
  kind: 'standard' | 'gap';
  index: number;
}

/**
 * The UCI regression folders of Hernandez-Lobato and Adams (2015): `data.txt` (numbers separated by white space),
 * `index_features.txt`, `index_target.txt` (columns), `standard/` and `gap/` with `index_train_K.txt`, `index_test_K.txt` (rows).
 *
 * @param name  Of the data set.
 * @param folder  Where these files lie.
 * @param variant  Kind and number of the split.
 * @returns  Both parts, rows in the order of the index files.
 * @throws SublaceError DATA_INVALID for a missing or malformed file or a split that is not there.
 */
export async function readUci(name: string, folder: string, { kind, index }: UciVariant): Promise<SplitSource> {
  const all = await readTable(name, folder);
  await checkSplit(name, join(folder, kind), index);
  const part = async (which: 'train' | 'test'): Promise<Dataset> => {
    const path = join(folder, kind, `index_${which}_${index}.txt`);
    return takeExamples(all, await readIndices(path, all.count, 'rows'));
  };
  return { train: () => part('train'), test: () => part('test') };
}

async function readTable(name: string, folder: string): Promise<Dataset> {
  const path = join(folder, 'data.txt');
  const rows = (await readNumbers(path)).filter(({ length }) => length > 0);
  const ragged = rows.findIndex(({ length }) => length !== rows[0].length);
  if (ragged >= 0)
    throw new SublaceError('DATA_INVALID', `${path}: expected ${rows[0].length} numbers in row ${ragged}, got ${rows[ragged].length}`);
  const features = await readIndices(join(folder, 'index_features.txt'), rows[0]?.length ?? 0, 'columns');
  const targets = await readIndices(join(folder, 'index_target.txt'), rows[0]?.length ?? 0, 'columns');
  return {
    name,
    count: rows.length,
    inputShape: [features.length],
    inputs: Float32Array.from(rows.flatMap((row) => features.map((column) => row[column]))),
    targets: {
      kind: 'values',
      width: targets.length,
      values: Float32Array.from(rows.flatMap((row) => targets.map((column) => row[column]))),
    },
  };
}

async function checkSplit(name: string, folder: string, index: number): Promise<void> {
  const files = await readdir(folder).catch(() => []);
  const count = files.filter((file) => /^index_train_\d+\.txt$/.test(file)).length;
  if (count === 0) throw new SublaceError('DATA_INVALID', `${name}: expected index_train_K.txt files in ${folder}, got none`);
  if (index >= count) throw new SublaceError('DATA_INVALID', `${name}: expected a split 0..${count - 1}, got ${index}`);
}

async function readIndices(path: string, limit: number, what: string): Promise<number[]> {
  const indices = (await readNumbers(path)).flat();
  const bad = indices.find((value) => !Number.isInteger(value) || value < 0 || value >= limit);
  if (bad !== undefined) throw new SublaceError('DATA_INVALID', `${path}: expected ${what} in 0..${limit - 1}, got ${bad}`);
  return indices;
}

/** Numbers of each line; an empty line gives an empty row. */
async function readNumbers(path: string): Promise<number[][]> {
  const lines = new TextDecoder().decode(await readDataFile(path)).split('\n');
  return lines.map((line, i) =>
    line
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map((cell) => {
        const value = Number(cell);
        if (Number.isNaN(value) && cell.toLowerCase() !== 'nan')
          throw new SublaceError('DATA_INVALID', `${path}: line ${i + 1}: expected numbers, got '${cell.slice(0, 40)}'`);
        return value;
      }),
  );
}
