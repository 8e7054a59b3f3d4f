import { SublaceError } from '@sublace/errors';
import type { Padding } from '../layers/window.ts';
import type { LayerSpec } from './topology.ts';

/** Typed reading of a layer's configuration, with errors that name the layer and the option. */
export interface LayerOptions {
  number(key: string, fallback: number): number;
  flag(key: string, fallback: boolean): boolean;
  text(key: string, fallback: string): string;
  numbers(key: string): number[];
  /** Two numbers, or one for both. */
  pair(key: string, fallback: [number, number]): [number, number];
  /** Some numbers, or one. */
  list(key: string, fallback: number[]): number[];
  /** One number, which may stand in a list. */
  single(key: string, fallback: number): number;
  /** One axis, which old files give as a list; -1 by default. */
  axis(): number;
  /** Two axes, or one for both. */
  axes(): [number, number];
  padding(): Padding;
  /** Around an image: rows before and after, columns before and after; or two numbers, or one for all four. */
  margins(key: string, fallback: number): [[number, number], [number, number]];
  /** Extents of which one may be open, which tf.js writes as null; it becomes -1. */
  extents(key: string): number[];
  /** Refuses any other value than these. An absent option passes. */
  expect(key: string, allowed: readonly unknown[], description?: string): void;
  expectPair(key: string, allowed: [number, number]): void;
}

/**
 * Reads the options of one layer.
 *
 * @param spec  The layer.
 * @returns  Readers, each of which throws MODEL_UNSUPPORTED with the layer's name.
 */
export function layerOptions({ name, className, config }: LayerSpec): LayerOptions {
  const unsupported = (key: string, expected: string): SublaceError =>
    new SublaceError(
      'MODEL_UNSUPPORTED',
      `layer '${name}' (${className}): ${key}: expected ${expected}, got ${JSON.stringify(config[key])}`,
    );
  const get = (key: string): unknown => config[key] ?? undefined;
  const read = <T>(key: string, fallback: T, isValid: (value: unknown) => boolean, expected: string): T => {
    const value = get(key);
    if (value === undefined) return fallback;
    if (!isValid(value)) throw unsupported(key, expected);
    return value as T;
  };
  const isNumbers = (value: unknown, length?: number): value is number[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'number') && (length === undefined || value.length === length);

  const options: LayerOptions = {
    number: (key, fallback) => read(key, fallback, (value) => typeof value === 'number', 'a number'),
    flag: (key, fallback) => read(key, fallback, (value) => typeof value === 'boolean', 'true or false'),
    text: (key, fallback) => read(key, fallback, (value) => typeof value === 'string', 'a name'),
    numbers: (key) => read<number[]>(key, [], (value) => isNumbers(value), 'a list of numbers'),
    pair: (key, fallback) => {
      const value = get(key);
      if (value === undefined) return fallback;
      if (typeof value === 'number') return [value, value];
      if (isNumbers(value, 2)) return [value[0], value[1]];
      throw unsupported(key, 'one or two numbers');
    },
    list: (key, fallback) => {
      const value = get(key) ?? fallback;
      if (typeof value === 'number') return [value];
      if (isNumbers(value) && value.length > 0) return value;
      throw unsupported(key, 'a number or a list of numbers');
    },
    single: (key, fallback) => {
      const value = get(key) ?? fallback;
      const single = isNumbers(value, 1) ? value[0] : value;
      if (typeof single !== 'number') throw unsupported(key, 'one number');
      return single;
    },
    axis: () => {
      const value = get('axis') ?? -1;
      const single = Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value;
      if (typeof single !== 'number') throw unsupported('axis', 'one axis');
      return single;
    },
    axes: () => {
      const value = get('axes');
      if (typeof value === 'number') return [value, value];
      if (isNumbers(value, 2)) return [value[0], value[1]];
      throw unsupported('axes', 'one or two axes');
    },
    padding: () => {
      const value = get('padding') ?? 'valid';
      if (value === 'same' || value === 'valid') return value;
      throw unsupported('padding', "'same' or 'valid'");
    },
    margins: (key, fallback) => {
      const value = get(key) ?? fallback;
      if (typeof value === 'number') return [[value, value], [value, value]]; // prettier-ignore
      if (isNumbers(value, 2)) return [[value[0], value[0]], [value[1], value[1]]]; // prettier-ignore
      if (Array.isArray(value) && value.length === 2 && value.every((item) => isNumbers(item, 2)))
        return value as [[number, number], [number, number]];
      throw unsupported(key, 'a number, two numbers or two pairs');
    },
    extents: (key) => {
      const value = get(key);
      const extents = Array.isArray(value) ? value.map((extent: unknown) => extent ?? -1) : undefined;
      if (!isNumbers(extents)) throw unsupported(key, 'a list of numbers');
      return extents;
    },
    expect: (key, allowed, description = allowed.map((value) => JSON.stringify(value)).join(' or ')) => {
      const value = get(key);
      const single = Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value;
      if (single !== undefined && !allowed.includes(single)) throw unsupported(key, description);
    },
    expectPair: (key, allowed) => {
      const value = options.pair(key, allowed);
      if (value[0] !== allowed[0] || value[1] !== allowed[1]) throw unsupported(key, JSON.stringify(allowed));
    },
  };
  return options;
}
