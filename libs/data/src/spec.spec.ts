// cspell:words minst
import { describe, expect, it } from 'vitest';
import { parseDataSpec } from './index.ts';

describe('parseDataSpec', () => {
  it.each([
    ['mnist', { source: 'mnist', isPath: false, keys: {}, title: 'mnist' }],
    ['uci-wine:gap:3', { source: 'uci-wine', isPath: false, variant: { kind: 'gap', index: 3 }, keys: {}, title: 'uci-wine:gap:3' }],
    [
      'uci-wine:standard',
      { source: 'uci-wine', isPath: false, variant: { kind: 'standard', index: 0 }, keys: {}, title: 'uci-wine:standard' },
    ],
    [
      'mnist?split=test&rotate=-12.5&limit=10&offset=0',
      { source: 'mnist', isPath: false, keys: { split: 'test', rotate: -12.5, limit: 10, offset: 0 }, title: 'mnist' },
    ],
    ['digits?seed=7&count=100', { source: 'digits', isPath: false, keys: { seed: 7, count: 100 }, title: 'digits' }],
    ['./a b.csv?target=price=EUR', { source: './a b.csv', isPath: true, keys: { target: 'price=EUR' }, title: './a b.csv' }],
    ['data/uci-x:gap:2', { source: 'data/uci-x', isPath: true, variant: { kind: 'gap', index: 2 }, keys: {}, title: 'data/uci-x:gap:2' }],
    ['x.npy?labels=/tmp/y.npy', { source: 'x.npy', isPath: true, keys: { labels: '/tmp/y.npy' }, title: 'x.npy' }],
  ])('%s', (text, expected) => expect(parseDataSpec(text)).toEqual(expected));

  it.each([
    ['', "expected NAME[:VARIANT][?key=value&...] or PATH[?key=value&...], got ''"],
    ['minst', "expected one of mnist, fashion-mnist, cifar10, uci-NAME, digits, toy-1d, or a path with a slash or a dot, got 'minst'"],
    ['mnist:gap:1', 'expected mnist without a variant'],
    ['uci-wine:random', "expected uci-wine[:standard:K|:gap:K], got 'uci-wine:random'"],
    ['mnist?colour=red', "expected keys of split, limit, offset, seed, count, rotate, target, labels, inputs, got 'colour'"],
    ['x.npz?inputs=a,', "expected inputs=NAME,NAME,..., got 'a,'"],
    ['mnist?limit', "expected limit=VALUE, got 'limit'"],
    ['mnist?limit=0', "expected limit=N, a whole number of at least 1, got '0'"],
    ['mnist?offset=-1', "expected offset=N, a whole number of at least 0, got '-1'"],
    ['mnist?limit=1e3', "got '1e3'"],
    ['mnist?rotate=left', "expected rotate=DEGREES, got 'left'"],
    ['mnist?split=val', "expected split=train|test|all, got 'val'"],
    ['mnist?limit=1&limit=2', "expected each key once, got 'limit' again"],
    ['mnist?', "expected keys of split, limit, offset, seed, count, rotate, target, labels, inputs, got ''"],
  ])('refuses %s', (text, message) => {
    expect(() => parseDataSpec(text)).toThrow(message);
    expect(() => parseDataSpec(text)).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });
});
