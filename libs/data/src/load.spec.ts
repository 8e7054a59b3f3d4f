import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeNpy, writeSafetensors, type Tensor } from '@sublace/tensor-files';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDataset } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'sublace-data-'));
const saved = { ...process.env };
const put = (path: string, content: string | Uint8Array): string => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  return join(root, path);
};

/** An IDX file of bytes. */
function idx(shape: number[], values: number[]): Uint8Array {
  const sizes = shape.flatMap((size) => [size >>> 24, size >>> 16, size >>> 8, size].map((byte) => byte & 255));
  return Uint8Array.from([0, 0, 8, shape.length, ...sizes, ...values]);
}
const F32 = (shape: number[], values: number[]): Tensor => ({ dtype: 'F32', shape, data: Float32Array.from(values) });
const U8 = (shape: number[], values: number[]): Tensor => ({ dtype: 'U8', shape, data: Uint8Array.from(values) });
const I64 = (values: number[]): Tensor => ({ dtype: 'I64', shape: [values.length], data: BigInt64Array.from(values, BigInt) });

beforeAll(() => {
  process.env.SUBLACE_DATA = join(root, 'data');
  process.env.SUBLACE_CACHE = join(root, 'cache');
  put('data/mnist/train-images-idx3-ubyte.gz', gzipSync(idx([3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])));
  put('data/mnist/train-labels-idx1-ubyte.gz', gzipSync(idx([3], [5, 0, 4])));
  put('data/mnist/t10k-images-idx3-ubyte', idx([1, 2, 2], [13, 14, 15, 16]));
  put('data/mnist/t10k-labels-idx1-ubyte', idx([1], [7]));

  put('data/uci-tiny/data.txt', ' 1 10 0.5\n2\t20\t1.5 \n3 30 2.5\n4 40 3.5\n\n');
  put('data/uci-tiny/index_features.txt', '0\n1\n');
  put('data/uci-tiny/index_target.txt', '2\n');
  for (const [kind, k, train, test] of [
    ['standard', 0, '3\n0\n', '1\n2\n'],
    ['standard', 1, '0\n1\n2\n', '3\n'],
    ['gap', 0, '0\n3\n', '1\n2\n'],
  ]) {
    put(`data/uci-tiny/${kind}/index_train_${k}.txt`, `${train}`);
    put(`data/uci-tiny/${kind}/index_test_${k}.txt`, `${test}`);
  }
});
afterAll(() => {
  process.env = saved;
  rmSync(root, { recursive: true });
});

describe('named image sets', () => {
  it('reads either split, or both in a row, with all ten classes', async () => {
    const train = await loadDataset('mnist');
    expect(train).toEqual({
      name: 'mnist',
      count: 3,
      inputShape: [2, 2, 1],
      inputs: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
      targets: { kind: 'labels', labels: Int32Array.of(5, 0, 4), classCount: 10 },
    });
    expect((await loadDataset('mnist', { split: 'test' })).inputs).toEqual(Float32Array.of(13, 14, 15, 16));
    expect((await loadDataset('mnist?split=all')).targets).toEqual({ kind: 'labels', labels: Int32Array.of(5, 0, 4, 7), classCount: 10 });
  });

  it('prefers the split of the SPEC to the one the caller would take', async () => {
    expect((await loadDataset('mnist?split=train', { split: 'test' })).count).toBe(3);
  });

  it('applies offset, limit and rotation', async () => {
    expect((await loadDataset('mnist?offset=1&limit=1&rotate=90')).inputs).toEqual(Float32Array.of(6, 8, 5, 7));
    expect((await loadDataset('mnist?offset=1&limit=100')).count).toBe(2);
    await expect(loadDataset('mnist?offset=3')).rejects.toThrow('mnist: expected offset below the 3 examples, got 3');
  });

  it('refuses a regression or a binary likelihood for digits', async () => {
    await expect(loadDataset('mnist', { likelihood: 'regression' })).rejects.toThrow(
      'mnist: expected regression targets, got class labels',
    );
    await expect(loadDataset('mnist', { likelihood: 'binary' })).rejects.toThrow(
      'mnist: expected binary targets of 0 or 1, got 5 in row 0',
    );
  });

  it('names the file of a truncated member', async () => {
    const path = put('broken/train-images-idx3-ubyte', idx([3, 2, 2], [1, 2, 3]));
    put('broken/train-labels-idx1-ubyte', idx([3], [5, 0, 4]));
    await expect(loadDataset(join(root, 'broken'))).rejects.toThrow(`${path}: idx: expected 12 bytes of data for [3, 2, 2], got 3`);
  });

  it('says where it looked for a data set that is not there, and how to get it', async () => {
    await expect(loadDataset('fashion-mnist')).rejects.toThrow(
      `fashion-mnist: expected a folder 'fashion-mnist' in ${root}/data or ${root}/cache/data, got none; run 'sublace data download fashion-mnist' or set SUBLACE_DATA`,
    );
    await expect(loadDataset('uci-none')).rejects.toThrow('known are mnist, fashion-mnist, cifar10, uci-boston');
  });
});

describe('UCI folders', () => {
  it('reads the rows of a split in the order of its index file', async () => {
    expect(await loadDataset('uci-tiny')).toEqual({
      name: 'uci-tiny',
      count: 2,
      inputShape: [2],
      inputs: Float32Array.of(4, 40, 1, 10),
      targets: { kind: 'values', values: Float32Array.of(3.5, 0.5), width: 1 },
    });
    expect((await loadDataset('uci-tiny:standard:1?split=test')).inputs).toEqual(Float32Array.of(4, 40));
    expect((await loadDataset('uci-tiny:gap', { split: 'test' })).inputs).toEqual(Float32Array.of(2, 20, 3, 30));
    expect((await loadDataset(`${root}/data/uci-tiny:gap:0?split=all`)).count).toBe(4);
  });

  it.each([
    ['a split that is not there', 'data.txt', '1 2 3', 'uci-tiny:gap:2', 'expected a split 0..0, got 2'],
    ['a ragged row', 'data.txt', '1 2 3\n4 5\n', 'uci-x', 'expected 3 numbers in row 1, got 2'],
    ['text', 'data.txt', '1 2 3\n4 5 six\n', 'uci-x', "line 2: expected numbers, got 'six'"],
    ['a column out of range', 'index_features.txt', '0\n3\n', 'uci-x', 'expected columns in 0..2, got 3'],
    ['a row out of range', 'standard/index_train_0.txt', '0\n9\n', 'uci-x', 'expected rows in 0..1, got 9'],
    ['a non-finite value', 'data.txt', '1 2 3\n4 nan 6\n', 'uci-x', 'expected finite numbers, got NaN in row 1 (input value 1)'],
  ])('refuses %s', async (_, file, content, spec, message) => {
    put('data/uci-x/data.txt', '1 2 3\n4 5 6\n');
    put('data/uci-x/index_features.txt', '0\n1\n');
    put('data/uci-x/index_target.txt', '2\n');
    put('data/uci-x/standard/index_train_0.txt', '0\n1\n');
    put('data/uci-x/standard/index_test_0.txt', '0\n');
    put(`data/uci-x/${file}`, content);
    await expect(loadDataset(spec)).rejects.toThrow(message);
  });
});

describe('files', () => {
  it('reads an IDX file with the labels beside it, or with none', async () => {
    expect((await loadDataset(`${root}/data/mnist/train-images-idx3-ubyte.gz`)).targets).toMatchObject({ labels: Int32Array.of(5, 0, 4) });
    expect((await loadDataset(put('alone-idx3-ubyte', idx([1, 1, 1], [9])))).targets).toEqual({ kind: 'none' });
  });

  it('reads npy with labels=FILE', async () => {
    const [x, y] = [put('x.npy', writeNpy(F32([2, 2], [1, 2, 3, 4]))), put('y.npy', writeNpy(I64([1, 0])))];
    expect(await loadDataset(`${x}?labels=${y}`)).toMatchObject({
      inputShape: [2],
      targets: { kind: 'labels', labels: Int32Array.of(1, 0), classCount: 2 },
    });
    expect((await loadDataset(`${x}?labels=${y}`, { likelihood: 'regression' })).targets).toEqual({
      kind: 'values',
      values: Float32Array.of(1, 0),
      width: 1,
    });
    expect((await loadDataset(x)).targets).toEqual({ kind: 'none' });
    expect((await loadDataset(`${x}?labels=${y}`, { likelihood: 'binary' })).targets).toEqual({
      kind: 'flags',
      values: Float32Array.of(1, 0),
      width: 1,
    });
    const short = put('short.npy', writeNpy(I64([1])));
    await expect(loadDataset(`${x}?labels=${short}`)).rejects.toThrow(
      'expected as many targets as inputs, got inputs [2, 2] and targets [1]',
    );
  });

  it('reads several inputs of an archive side by side', async () => {
    const parts = { left: F32([2, 2], [1, 2, 3, 4]), right: U8([2, 1, 3], [5, 6, 7, 8, 9, 10]), y: I64([1, 0]) };
    const path = put('pairs.safetensors', writeSafetensors(new Map(Object.entries(parts))));
    const dataset = await loadDataset(`${path}?inputs=right,left`);
    expect([dataset.count, dataset.inputShape]).toEqual([2, [5]]);
    expect(dataset.inputs).toEqual(Float32Array.of(5, 6, 7, 1, 2, 8, 9, 10, 3, 4));
    const split = Object.fromEntries(Object.entries(parts).flatMap(([key, value]) => [[`${key}_train`, value], [`${key}_test`, value]])); // prettier-ignore
    const both = put('pairs-split.safetensors', writeSafetensors(new Map(Object.entries(split))));
    expect((await loadDataset(`${both}?inputs=right,left&split=all`)).count).toBe(4);
    await expect(loadDataset(`${path}?inputs=left,middle`)).rejects.toThrow(
      'expected arrays left, middle and y, or left_train, middle_train, y_train, left_test, middle_test and y_test, got left, right, y',
    );
    const uneven = put('uneven.safetensors', writeSafetensors(new Map(Object.entries({ ...parts, left: F32([1, 2], [1, 2]) }))));
    await expect(loadDataset(`${uneven}?inputs=left,right`)).rejects.toThrow(
      'expected inputs with the same number of examples, got [1, 2] and [2, 1, 3]',
    );
  });

  it('reads npz and safetensors with one part or two', async () => {
    const arrays = {
      x_train: U8([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      y_train: I64([0, 3]),
      x_test: U8([1, 2, 2], [9, 9, 9, 9]),
      y_test: I64([1]),
    };
    const npz = put(
      'set.npz',
      zipSync(Object.fromEntries(Object.entries(arrays).map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)]))),
    );
    const safetensors = put('set.safetensors', writeSafetensors(new Map(Object.entries(arrays))));
    for (const path of [npz, safetensors]) {
      expect(await loadDataset(path)).toMatchObject({ count: 2, inputShape: [2, 2, 1], targets: { classCount: 4 } });
      expect(await loadDataset(path, { split: 'test' })).toMatchObject({ count: 1, targets: { labels: Int32Array.of(1), classCount: 4 } });
    }
    const single = put(
      'single.safetensors',
      writeSafetensors(
        new Map([
          ['x', F32([2], [1, 2])],
          ['y', F32([2, 2], [1, 2, 3, 4])],
        ]),
      ),
    );
    expect(await loadDataset(single)).toMatchObject({ inputShape: [1], targets: { kind: 'values', width: 2 } });
    await expect(loadDataset(`${single}?split=test`)).rejects.toThrow(
      'expected a source with a training and a test part for split=test, got one part',
    );
  });

  it('reads CSV with its keys', async () => {
    const path = put('t.csv', 'price,size\n3,1\n4,2\n');
    expect(await loadDataset(`${path}?target=price&limit=1`)).toMatchObject({
      name: path,
      inputs: Float32Array.of(1),
      targets: { values: Float32Array.of(3) },
    });
  });

  it('reads compressed CIFAR-10 batches, plain ones first', async () => {
    const record = (label: number) => Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : 7));
    put('c/data_batch_1.bin', record(1));
    put('c/data_batch_1.bin.gz', gzipSync(record(8)));
    put('c/data_batch_2.bin.gz', gzipSync(record(2)));
    expect((await loadDataset(join(root, 'c'))).targets).toMatchObject({ labels: Int32Array.of(1, 2) });
    await expect(loadDataset(join(root, 'c'), { split: 'test' })).rejects.toThrow('expected CIFAR-10 batches');
    expect((await loadDataset(join(root, 'c/data_batch_2.bin.gz'))).count).toBe(1);
  });
});

describe('bad input', () => {
  const npz = zipSync({ 'a.npy': writeNpy(F32([1], [1])) });
  it.each([
    ['a missing file', () => join(root, 'nothing.csv'), 'nothing.csv: expected a data file or folder, got no such file'],
    [
      'an unknown extension',
      () => put('a.xlsx', 'x'),
      'a.xlsx: expected .csv, .tsv, .npy, .npz, .safetensors, .bin (CIFAR-10) or an idx name',
    ],
    [
      'an empty folder',
      () => dirname(put('empty/readme', '')),
      'expected a folder with data.txt (UCI), train-images-idx3-ubyte (IDX) or data_batch_1.bin (CIFAR-10)',
    ],
    [
      'a damaged gzip file',
      () => put('bad.csv.gz', gzipSync('1,2\n3,4').subarray(0, 12)),
      'bad.csv.gz: expected a whole gzip file, got a damaged one',
    ],
    ['a wrong magic number', () => put('wrong-idx3-ubyte', 'not idx'), 'wrong-idx3-ubyte: idx: expected a magic number'],
    ['archives without x', () => put('a.npz', npz), 'a.npz: expected arrays x and y, or x_train, y_train, x_test and y_test, got a'],
    ['a damaged archive', () => put('b.safetensors', 'abc'), 'b.safetensors: safetensors: expected 8 bytes of header length, got 3 bytes'],
    ['a single number', () => put('s.npy', writeNpy(F32([], [1]))), 'expected inputs [N, ...], got a single number'],
    [
      'a non-finite row',
      () => put('nan.csv', '1,2\n3,4\ninf,6\n'),
      'nan.csv: expected finite numbers, got Infinity in row 2 (input value 0); mend or remove the row',
    ],
    ['a number too large for float32', () => put('big.csv', '1,2\n1e39,4\n'), 'got Infinity in row 1'],
    ['a key of another kind of source', () => `${put('k.csv', '1,2\n')}?rotate=10`, "keys of limit, offset, target, got 'rotate'"],
    ['a generator key for files', () => 'mnist?seed=1', "expected for mnist keys of split, limit, offset, rotate, got 'seed'"],
    ['a variant of a file', () => `${put('v.csv', '1,2\n')}:gap:1`, 'expected a folder in the UCI layout for a variant, got a file'],
  ])('refuses %s', async (_, spec, message) => {
    const text = spec();
    await expect(loadDataset(text)).rejects.toThrow(message);
    await expect(loadDataset(text)).rejects.toMatchObject({ code: 'DATA_INVALID', exitCode: 42 });
  });

  it('refuses labels out of range for a named set of ten classes', async () => {
    put('data/fashion-mnist/train-images-idx3-ubyte', idx([2, 1, 1], [1, 2]));
    put('data/fashion-mnist/train-labels-idx1-ubyte', idx([2], [3, 12]));
    await expect(loadDataset('fashion-mnist')).rejects.toThrow('fashion-mnist: expected labels in 0..9, got 12 in row 1');
    rmSync(join(root, 'data/fashion-mnist'), { recursive: true });
  });
});
