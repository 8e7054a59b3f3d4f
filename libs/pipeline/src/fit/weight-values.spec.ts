import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParameterLayout } from '@sublace/network';
import { writeNpy } from '@sublace/tensor-files';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testdata/small-problems.ts';
import { readPriorPrecisions } from './given-prior.ts';
import { readWeightValues, valuesAt } from './weight-values.ts';

const folder = temporaryFolder();
let fileCount = 0;

function written(name: string, content: string | Uint8Array): string {
  const file = join(folder, `${++fileCount}-${name}`);
  writeFileSync(file, content);
  return file;
}

const layout = new ParameterLayout([
  { layer: 'a', className: 'Dense', weight: 'kernel', kind: 'kernel', shape: [2, 2] },
  { layer: 'a', className: 'Dense', weight: 'bias', kind: 'bias', shape: [2] },
]);
const indices = Int32Array.of(1, 2, 5);

describe('values of weights', () => {
  it.each([
    ['v.npy', writeNpy({ dtype: 'F64', shape: [3], data: Float64Array.of(1, 2, 3) })],
    ['v.json', '[1, 2, 3]'],
    ['v.txt', '1 2\n3\n'],
  ])('are read from %s', (name, content) => {
    const read = readWeightValues(written(name, content), 'priorMean');
    expect(valuesAt(read, indices, layout, 'priorMean')).toEqual(Float64Array.of(1, 2, 3));
  });

  it('are those of the subnetwork where the file has one for every weight', () => {
    const read = readWeightValues(written('v.txt', '10,11,12,13,14,15'), 'priorMean');
    expect(valuesAt(read, indices, layout, 'priorMean')).toEqual(Float64Array.of(11, 12, 15));
  });

  it('are those of the tensor where the file names tensors', () => {
    const read = readWeightValues(written('v.json', '{"a/kernel": 3, "a/bias": 4}'), 'priorMean');
    expect(valuesAt(read, indices, layout, 'priorMean')).toEqual(Float64Array.of(3, 3, 4));
  });

  it.each([
    ['[]', 'priorPrecision: expected numbers, got none'],
    ['[1, Infinity]', 'priorPrecision: expected finite numbers, got Infinity at position 1'],
    ['[1, "x"]', 'priorPrecision: expected finite numbers, got NaN at position 1'],
    ['{"a/kernel": null}', 'priorPrecision: expected finite numbers, got NaN at position 0'],
    ['{"a/kernel": 1', 'priorPrecision: expected finite numbers, got NaN at position 0'],
    ['[1, 0]', 'priorPrecision: expected positive numbers, got 0 at position 1'],
    ['{"a/kernel": -2}', "priorPrecision: expected positive numbers, got -2 at 'a/kernel'"],
  ])('are refused where they make no sense: %s', (content, message) => {
    const file = written('bad.json', content);
    expect(() => readPriorPrecisions(file)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: `${message} in '${file}'` }),
    );
  });

  it('are refused where they belong to other weights, or to no file', () => {
    const at = (content: string): void =>
      void valuesAt(readWeightValues(written('v.json', content), 'priorMean'), indices, layout, 'priorMean');
    expect(() => at('[1, 2]')).toThrow('priorMean: expected 3 values (the subnetwork) or 6 (the whole model), got 2');
    expect(() => at('{"a/kernel": 3}')).toThrow("priorMean: expected a value for 'a/bias', got none");
    expect(() => at('{"b/kernel": 3}')).toThrow("priorMean: expected names of weights (a/kernel, a/bias), got 'b/kernel'");
    expect(() => readWeightValues('/nothing', 'priorMean')).toThrow("priorMean: expected a file, got nothing at '/nothing'");
  });
});
