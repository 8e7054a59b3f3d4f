import { startBackend } from '@sublace/backend';
import '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { atChannels, columnsAsRows, columnsByPart, pickChannels, usedChannels } from './columns.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const matrix = [
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  [10, 20, 30, 40, 50, 60, 70, 80, 90],
];

describe('columns', () => {
  it.each([[[8]], [[3, 3]], [[7, 0, 7]], [[8, 7, 6, 5, 4, 3, 2, 1, 0]]])('%j of a matrix become rows, in order and repeated', (columns) => {
    const rows = tf.tidy(() => columnsAsRows(tf.tensor2d(matrix), Int32Array.from(columns)).arraySync());
    expect(rows).toEqual(columns.map((column) => matrix.map((row) => row[column])));
  });

  it('that fall into parts are computed part by part, and put back in order', () => {
    const asked: number[] = [];
    const locate = (column: number): { part: number; position: number } => ({ part: column % 3, position: Math.floor(column / 3) });
    const rows = tf.tidy(() =>
      columnsByPart(Int32Array.of(7, 2, 1, 5), locate, (part, positions) => {
        asked.push(part);
        return columnsAsRows(tf.tensor2d(matrix.map((row) => row.filter((_, i) => i % 3 === part))), positions);
      }).arraySync(),
    );
    expect(rows).toEqual([7, 2, 1, 5].map((column) => matrix.map((row) => row[column])));
    expect(asked.sort()).toEqual([1, 2]);
  });

  it('need some channels only', () => {
    const { used, at } = usedChannels(Int32Array.of(5, 2, 5, 10));
    expect([...used]).toEqual([2, 5, 10]);
    expect([...at]).toEqual([1, 0, 1, 2]);
    expect(tf.tidy(() => pickChannels(tf.tensor2d(matrix), Int32Array.of(1, 8)).arraySync())).toEqual(
      matrix.map((row) => [row[1], row[8]]),
    );
  });

  it.each([1, 3])('rows are put into one of %i channels each', (channels) => {
    const last = channels - 1;
    const placed = tf.tidy(() => atChannels(tf.tensor2d([[1, 2], [3, 4]]), Int32Array.of(last, 0), channels).arraySync()); // prettier-ignore
    const at = (value: number, channel: number): number[] => Array.from({ length: channels }, (_, c) => (c === channel ? value : 0));
    expect(placed).toEqual([
      [at(1, last), at(2, last)],
      [at(3, 0), at(4, 0)],
    ]);
  });
});
