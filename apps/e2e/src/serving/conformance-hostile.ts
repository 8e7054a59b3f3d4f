import type { Random } from './conformance-random.ts';

/** Data types: those there are, and others. */
export const datatypes = ['FP32', 'FP64', 'FP16', 'BF16', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'BOOL'];
export const wrongDatatypes = ['BYTES', 'FP8', 'fp32', '', 'constructor', '__proto__', 'toString', 'FP32\0', 'F'.repeat(10_000)];

/** Shapes for an input [N, 1]: too large for any memory, negative, beyond int64, of no or many dimensions. */
export const hostileShapes: readonly (readonly number[])[] = [
  [2 ** 40, 1],
  [1, 2 ** 40],
  [2 ** 31, 2 ** 31],
  [2 ** 53 - 1, 1],
  [2 ** 62, 4],
  [-1, 1],
  [1, -1],
  [-(2 ** 63), 1],
  [0, 1],
  [0],
  [],
  [1],
  [1, 1, 1],
  Array<number>(1000).fill(1),
];

/** Names that must not reach a file, a prototype or a log as they are. */
export const hostileNames = [
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%2e%2e%2f%2e%2e%2f',
  '..\\..\\windows',
  '/etc/passwd',
  'toy/../toy',
  '.',
  '..',
  '...',
  'toy%00',
  'toy\0',
  '__proto__',
  'constructor',
  'prototype',
  'hasOwnProperty',
  'toString',
  'TOY',
  'toy ',
  ' toy',
  '\r\nX-Injected: 1',
  '%0d%0aX-Injected: 1',
  '%zz',
  '%',
  '%c0%ae%c0%ae/',
  '\u202etoy',
  '\u{1F4A5}\u{3B1}',
  '💥'.repeat(40),
  'a'.repeat(99),
  'a'.repeat(2000),
  '-1',
  '1e308',
  'NaN',
  '*',
  '${jndi:ldap://x}',
  "' OR 1=1 --",
  'stats',
  'index',
];

/**
 * Something of JSON that is not what was expected.
 *
 * @param random  Numbers.
 * @returns  Any JSON value.
 */
export function hostileValue(random: Random): unknown {
  return random.pick<() => unknown>([
    () => null,
    () => true,
    () => random.pick([0, -1, 1, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 63, 1e39]),
    () => random.pick(['', 'x', 'NaN', 'Infinity', '1', ...hostileNames]),
    () => [],
    () => ({}),
    () => [[[[]]]],
    () => ({ length: 1e9 }),
    () => JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}') as unknown,
    () => Array.from({ length: random.below(50) }, () => random.next()),
    () => 'x'.repeat(random.below(5000)),
    () => random.pick(hostileShapes),
  ])();
}
