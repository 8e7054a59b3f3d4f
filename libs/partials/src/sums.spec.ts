import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BinnedSum, FixedQuantumSum, quantumExponent } from './index.ts';

/** Twins compute with integers: a double is m * 2^SHIFT exactly, for every double that a float32 sum can hold. */
const SHIFT = -1074n;

function toInteger(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const significand = (bits & 0xfffffffffffffn) | (exponent === 0n ? 0n : 1n << 52n);
  const magnitude = significand << (exponent === 0n ? 0n : exponent - 1n);
  return bits >> 63n ? -magnitude : magnitude;
}

/** The double nearest to m * 2^SHIFT, ties to even. */
function toDouble(m: bigint): number {
  const magnitude = m < 0n ? -m : m;
  const excess = BigInt(Math.max(0, magnitude.toString(2).length - 53));
  let kept = magnitude >> excess;
  const rest = magnitude - (kept << excess);
  const half = excess > 0n ? 1n << (excess - 1n) : 0n;
  if (excess > 0n && (rest > half || (rest === half && (kept & 1n) === 1n))) kept += 1n;
  // In two factors, since 2^-1074 * 2^excess may not fit one power.
  return (m < 0n ? -1 : 1) * Number(kept) * 2 ** Math.floor(Number(SHIFT + excess) / 2) * 2 ** Math.ceil(Number(SHIFT + excess) / 2);
}

/** Nearest multiple of 2^exponent, ties to even, as integer arithmetic. */
function roundToMultiple(m: bigint, exponent: number): bigint {
  const unit = 1n << (BigInt(exponent) - SHIFT);
  const floor = ((m % unit) + unit) % unit;
  const down = m - floor;
  const twice = 2n * floor;
  return twice > unit || (twice === unit && (down / unit) % 2n !== 0n) ? down + unit : down;
}

/** The fixed-quantum sum by its definition. */
function fixedTwin(addends: number[], exponent: number): number {
  return toDouble(addends.reduce((sum, x) => sum + roundToMultiple(toInteger(x), exponent - 53), 0n));
}

/** The binned sum by its definition: the largest bin of all addends is known first, then each addend is truncated to two bins. */
function binnedTwin(addends: number[]): number {
  const binOf = (x: number) =>
    x === 0 ? -6 : Math.max(-6, Math.floor((toInteger(Math.abs(x)).toString(2).length - 1 + Number(SHIFT)) / 24));
  const top = Math.max(-6, ...addends.map(binOf));
  const truncate = (m: bigint, exponent: number) => (m / (1n << (BigInt(exponent) - SHIFT))) * (1n << (BigInt(exponent) - SHIFT));
  return toDouble(addends.reduce((sum, x) => sum + truncate(toInteger(x), 24 * (top - 1)), 0n));
}

interface Sum<T> {
  add(addend: Float32Array): void;
  merge(other: T): void;
  value(): Float64Array;
}

/** Forward, reverse, three shuffles, and a balanced tree of partial sums. */
function orders<T extends Sum<T>>(make: () => T, addends: Float32Array[], random: () => number): Float64Array[] {
  const inOrder = (list: Float32Array[]) => {
    const sum = make();
    for (const addend of list) sum.add(addend);
    return sum.value();
  };
  const shuffled = () =>
    addends
      .map((addend) => [random(), addend] as const)
      .sort((a, b) => a[0] - b[0])
      .map(([, addend]) => addend);
  const tree = (list: Float32Array[]): T => {
    const sum = make();
    if (list.length === 1) sum.add(list[0]);
    else for (const half of [list.slice(0, list.length >> 1), list.slice(list.length >> 1)]) sum.merge(tree(half));
    return sum;
  };
  return [
    inOrder(addends),
    inOrder([...addends].reverse()),
    inOrder(shuffled()),
    inOrder(shuffled()),
    inOrder(shuffled()),
    tree(addends).value(),
  ];
}

/** Numerical Recipes' 32-bit generator: a seed gives the same test everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Partials over 40 binary orders of magnitude, signed. */
function partials(count: number, length: number, random: () => number): Float32Array[] {
  return Array.from({ length: count }, () => Float32Array.from({ length }, () => (random() - 0.5) * 2 ** (40 * random() - 30)));
}

const bits = (values: Float64Array) => [
  ...new BigUint64Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength)),
];

describe('64 float32 partials over 40 binary orders', () => {
  const random = generator(1);
  const addends = partials(64, 300, random);
  const exponent = quantumExponent(64 * 2 ** 10);

  it('would differ by order in plain float64 and float32 addition, or this test would show nothing', () => {
    for (const Type of [Float64Array, Float32Array]) {
      const plain = (list: Float32Array[]) => {
        const sum = new Type(300);
        for (const addend of list) for (let i = 0; i < 300; i++) sum[i] += addend[i];
        return [...sum];
      };
      expect(plain(addends)).not.toEqual(plain([...addends].reverse()));
    }
  });

  it('give the same bits in every order with a fixed quantum, equal to the exact twin', () => {
    const sums = orders(() => new FixedQuantumSum(300, exponent), addends, random);
    for (const sum of sums) expect(bits(sum)).toEqual(bits(sums[0]));
    sums[0].forEach((value, i) =>
      expect(value).toBe(
        fixedTwin(
          addends.map((addend) => addend[i]),
          exponent,
        ),
      ),
    );
  });

  it('give the same bits in every order with bins, equal to the exact twin', () => {
    const sums = orders(() => new BinnedSum(300), addends, random);
    for (const sum of sums) expect(bits(sum)).toEqual(bits(sums[0]));
    sums[0].forEach((value, i) => expect(value).toBe(binnedTwin(addends.map((addend) => addend[i]))));
  });
});

describe('any float32 values', () => {
  const columns = (float: fc.Arbitrary<number>) =>
    fc.array(fc.array(float, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 12 });

  it('sum with bins to the exact twin in every order, subnormals and the largest floats included', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(columns(float), fc.nat(), (rows, seed) => {
        const addends = rows.map((row) => Float32Array.from(row));
        for (const sum of orders(() => new BinnedSum(3), addends, generator(seed))) {
          sum.forEach((value, i) => expect(value === 0 ? 0 : value).toBe(binnedTwin(addends.map((addend) => addend[i]))));
        }
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('sum with a fixed quantum to the exact twin in every order while they are in range', () => {
    const float = fc.float({ noNaN: true, min: -64, max: 64 });
    fc.assert(
      fc.property(columns(float), fc.nat(), (rows, seed) => {
        const addends = rows.map((row) => Float32Array.from(row));
        for (const sum of orders(() => new FixedQuantumSum(3, 10), addends, generator(seed))) {
          sum.forEach((value, i) =>
            expect(value === 0 ? 0 : value).toBe(
              fixedTwin(
                addends.map((addend) => addend[i]),
                10,
              ),
            ),
          );
        }
      }),
      { numRuns: 500, seed: 4 },
    );
  });
});

describe('BinnedSum', () => {
  it('keeps the precision of tiny elements beside huge ones', () => {
    const sum = new BinnedSum(2);
    for (let i = 0; i < 1000; i++) sum.add(Float32Array.of(1e-30, 1e30));
    const [tiny, huge] = sum.value();
    expect(tiny / (1000 * Math.fround(1e-30)) - 1).toBeCloseTo(0, 12);
    expect(huge / (1000 * Math.fround(1e30)) - 1).toBeCloseTo(0, 12);
  });

  it('refuses NaN, infinity and another length', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(() => new BinnedSum(2).add(Float32Array.of(1, bad))).toThrow(expect.objectContaining({ code: 'NUMERICAL_FAILURE' }));
    }
    expect(() => new BinnedSum(2).add(Float32Array.of(1))).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
    expect(() => new BinnedSum(2).merge(new BinnedSum(3))).toThrow(expect.objectContaining({ code: 'SHAPE_MISMATCH' }));
  });
});

describe('FixedQuantumSum', () => {
  const refused = (code: string): Error => expect.objectContaining({ code }) as Error;

  it('finds the very addend that takes a sum out of range, however many came before and whatever the others do', () => {
    for (const [ArrayType, step] of [
      [Float32Array, 3],
      [Float64Array, 0.75],
    ] as const) {
      const sum = new FixedQuantumSum(3, 10);
      let total = 0;
      for (let k = 0; total + step <= 1024; k++) {
        // The second element goes up and down by more than the bound of all addends together allows.
        sum.add(ArrayType.of(step, k % 2 === 0 ? 200 : -200, 0));
        total += step;
      }
      expect(sum.value()[0]).toBe(total);
      expect(() => sum.add(ArrayType.of(step, 0, 0))).toThrow(refused('SUM_OVERFLOW'));
      const saved = FixedQuantumSum.restore(sum.value().slice(), 10);
      expect(() => saved.add(ArrayType.of(step, 0, 0))).toThrow(refused('SUM_OVERFLOW'));
      const other = new FixedQuantumSum(1, 10);
      const [half, rest] = [new FixedQuantumSum(1, 10), new FixedQuantumSum(1, 10)];
      for (let k = 0; k < 3; k++) half.add(ArrayType.of(200));
      for (let k = 0; k < 3; k++) rest.add(ArrayType.of(200));
      other.merge(half);
      expect(() => other.merge(rest)).toThrow(refused('SUM_OVERFLOW'));
    }
  });

  it('refuses addends and sums out of range, NaN and infinity', () => {
    expect(() => new FixedQuantumSum(1, 10).add(Float32Array.of(257))).toThrow(refused('SUM_OVERFLOW'));
    expect(() => new FixedQuantumSum(1, 10).add(Float32Array.of(-256))).not.toThrow();
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(() => new FixedQuantumSum(1, 10).add(Float32Array.of(bad))).toThrow(refused('NUMERICAL_FAILURE'));
    }
    const sum = new FixedQuantumSum(1, 10);
    for (let i = 0; i < 4; i++) sum.add(Float32Array.of(256));
    expect(() => sum.add(Float32Array.of(1))).toThrow(refused('SUM_OVERFLOW'));
    expect(() => new FixedQuantumSum(2, 10).add(Float32Array.of(1))).toThrow(refused('SHAPE_MISMATCH'));
    expect(() => new FixedQuantumSum(2, 10).merge(new FixedQuantumSum(2, 11))).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => new FixedQuantumSum(2, 2000)).toThrow(refused('INVALID_ARGUMENT'));
  });

  it('bounds every element of a sum of positive semi-definite partials by its diagonal', () => {
    const random = generator(5);
    const partialsOf16 = Array.from({ length: 40 }, () => {
      const v = Float32Array.from({ length: 4 }, () => (random() - 0.5) * 2 ** (20 * random()));
      return Float32Array.from({ length: 16 }, (_, k) => v[k >> 2] * v[k & 3]);
    });
    const diagonal = [0, 5, 10, 15].map((k) => partialsOf16.reduce((sum, partial) => sum + partial[k], 0));
    const sum = new FixedQuantumSum(16, quantumExponent(Math.max(...diagonal)));
    for (const partial of partialsOf16) sum.add(partial);
    expect(Math.max(...sum.value().map(Math.abs))).toBeLessThanOrEqual(Math.max(...diagonal) * (1 + 1e-6));
  });
});

describe('quantumExponent', () => {
  it('is ceil(log2(max)) + 4, exact at powers of two', () => {
    for (const [max, exponent] of [
      [1, 4],
      [1.5, 5],
      [2, 5],
      [2 ** 40, 44],
      [2 ** 40 * (1 + 2 ** -52), 45],
      [2 ** -30, -26],
    ])
      expect(quantumExponent(max)).toBe(exponent);
  });

  it('takes a zero matrix and refuses what is no diagonal', () => {
    const zero = new FixedQuantumSum(1, quantumExponent(0));
    zero.add(Float32Array.of(0));
    expect(() => zero.add(Float32Array.of(1e-20))).toThrow(expect.objectContaining({ code: 'SUM_OVERFLOW' }));
    for (const bad of [-1, NaN, Infinity])
      expect(() => quantumExponent(bad)).toThrow(expect.objectContaining({ code: 'NUMERICAL_FAILURE' }));
  });
});
