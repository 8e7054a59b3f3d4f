import { describe, expect, it } from 'vitest';
import { readCsv, type CsvOptions } from '../index.ts';

const values = (text: string, options = {}) => {
  const { inputs, inputShape, targets } = readCsv('t.csv', text, options);
  return {
    x: [...inputs],
    width: inputShape[0],
    y: targets.kind === 'values' ? [...targets.values] : targets.kind === 'labels' ? [...targets.labels] : undefined,
  };
};

describe('readCsv', () => {
  it('finds the header, or does without', () => {
    expect(values('a,b,y\n1,2,3\n4,5,6\n')).toEqual({ x: [1, 2, 4, 5], width: 2, y: [3, 6] });
    expect(values('1,2,3\n4,5,6')).toEqual({ x: [1, 2, 4, 5], width: 2, y: [3, 6] });
  });

  it('takes the target by name, by position, or not at all', () => {
    expect(values('a,b,y\n1,2,3', { target: 'a' })).toEqual({ x: [2, 3], width: 2, y: [1] });
    expect(values('1,2,3', { target: '1' })).toEqual({ x: [1, 3], width: 2, y: [2] });
    expect(values('1,2,3', { target: 'none' })).toEqual({ x: [1, 2, 3], width: 3, y: undefined });
  });

  it('takes several targets, in the order asked for', () => {
    const { inputs, targets } = readCsv('t.csv', 'a,b,c,d\n1,2,3,4\n5,6,7,8', { target: 'd,b' });
    expect([...inputs]).toEqual([1, 3, 5, 7]);
    expect(targets).toEqual({ kind: 'values', values: Float32Array.of(4, 2, 8, 6), width: 2 });
  });

  it('reads semicolons, tabs, quotes, a byte-order mark, Windows line ends, blank lines, exponents', () => {
    expect(values('\ufeffa;b\r\n"1.5";-2e3\r\n\r\n.5;+4.\r\n')).toEqual({ x: [1.5, 0.5], width: 1, y: [-2000, 4] });
    expect(values('1\t2\n3\t4')).toEqual({ x: [1, 3], width: 1, y: [2, 4] });
  });

  it('reads labels for a classification likelihood', () => {
    const { targets } = readCsv('t.csv', '0.5,2\n0.25,0', { likelihood: 'classification' });
    expect(targets).toEqual({ kind: 'labels', labels: Int32Array.of(2, 0), classCount: 3 });
  });

  it('reads answers of yes or no for a binary likelihood', () => {
    const { targets } = readCsv('t.csv', '0.5,1,0\n0.25,0,0', { target: '1,2', likelihood: 'binary' });
    expect(targets).toEqual({ kind: 'flags', values: Float32Array.of(1, 0, 0, 0), width: 2 });
  });

  it.each<[string, string, CsvOptions, string]>([
    ['ragged rows', 'a,b,y\n1,2,3\n4,5\n', {}, 'line 3'],
    ['text', 'a,b,y\n1,2,3\n4,blue,6\n', {}, 't.csv: line 3, column b: expected a number, got "blue"'],
    ['text without a header', '1,2,3\n4,x,6\n', {}, 'line 2, column 1: expected a number, got "x"'],
    ['a missing cell', 'a,b\n1,\n', {}, 'line 2, column b: expected a number, got ""'],
    ['hexadecimal', '2,3\n1,0x10', {}, 'line 2, column 1: expected a number, got "0x10"'],
    ['an open quote', 'a,b\n"1,2\n', {}, 't.csv: expected rows of equal length'],
    ['an empty file', '', {}, 'got an empty table'],
    ['a lone header', 'a,b\n', {}, 'expected rows of numbers after the header, got none'],
    ['a lone column', '1\n2\n', {}, 'expected at least one input column beside the target, got 1 column'],
    [
      'an unknown column',
      'a,b\n1,2',
      { target: 'c' },
      "expected target=COLUMN to be one of a, b, a position 0..1 or none, or several as a,b, got 'c'",
    ],
    [
      'a position out of range',
      '1,2',
      { target: '2' },
      "expected target=COLUMN to be one of a position 0..1 or none, or several as a,b, got '2'",
    ],
    ['a column twice', 'a,b,c\n1,2,3', { target: 'a,0' }, "several as a,b, got 'a,0'"],
    ['one bad name of several', 'a,b,c\n1,2,3', { target: 'a,d' }, "got 'a,d'"],
    [
      'an answer that is neither yes nor no',
      '1,0,1\n2,1,2',
      { target: '1,2', likelihood: 'binary' },
      't.csv: expected binary targets of 0 or 1, got 2 in row 1 (target 1)',
    ],
    [
      'several class labels',
      '1,0,1',
      { target: '1,2', likelihood: 'classification' },
      'expected one class label per example, got 2 numbers',
    ],
    ['a label that is no class', '1,0.5', { likelihood: 'classification' }, 'expected class labels 0, 1, 2, ..., got 0.5 in row 0'],
    ['a negative label', '1,0\n1,-1', { likelihood: 'classification' }, 'got -1 in row 1'],
  ])('refuses %s', (_, text, options, message) => {
    expect(() => readCsv('t.csv', text, options)).toThrow(message);
    expect(() => readCsv('t.csv', text, options)).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });
});
