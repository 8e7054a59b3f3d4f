import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { absoluteDataSpec, absolutePlace, absoluteRule } from './absolute-paths.ts';

describe('absolutePlace', () => {
  it('leaves URIs alone, and refuses what only looks like one', () => {
    expect(absolutePlace('out/posterior')).toBe(resolve('out/posterior'));
    expect(absolutePlace('s3://bucket/out?endpoint=http://host:9000')).toBe('s3://bucket/out?endpoint=http://host:9000');
    expect(() => absolutePlace('s3:/bucket/out')).toThrow(/expected s3:\/\/BUCKET\/PREFIX/);
  });
});

describe('absoluteDataSpec', () => {
  it.each([
    ['mnist?rotate=90&limit=1000', 'mnist?rotate=90&limit=1000'],
    ['./x.csv?target=price', `${resolve('x.csv')}?target=price`],
    ['x.npy?labels=y.npy', `${resolve('x.npy')}?labels=${resolve('y.npy')}`],
    ['x.npy?limit=5&labels=../y.npy&rotate=30', `${resolve('x.npy')}?limit=5&labels=${resolve('../y.npy')}&rotate=30`],
    ['../wine.d:gap:2?split=test', `${resolve('../wine.d')}:gap:2?split=test`],
    ['/data/x.npy?labels=/data/y.npy', '/data/x.npy?labels=/data/y.npy'],
  ])('%s', (text, expected) => {
    expect(absoluteDataSpec(text)).toBe(expected);
  });
});

describe('absoluteRule', () => {
  it.each([
    ['indices:weights.npy', `indices:${resolve('weights.npy')}`],
    ['indices:/a/b.json', 'indices:/a/b.json'],
    ['indices:', 'indices:'],
    ['gradient-energy:10', 'gradient-energy:10'],
    ['names:conv*', 'names:conv*'],
  ])('%s', (text, expected) => {
    expect(absoluteRule(text)).toBe(expected);
  });
});
