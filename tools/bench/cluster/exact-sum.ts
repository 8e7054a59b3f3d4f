/**
 * Exact sums beside a plain float64 addition of the same arrays, and beside copying them.
 *
 *   npm run bench -- exact-sum [--repetitions N]
 */
import { parseArgs } from 'node:util';
import { BinnedSum, FixedQuantumSum } from '@sublace/partials';
import { summarise } from '../numerics/report/statistics.ts';
import { formatTable } from '../numerics/report/table.ts';

/** A tile of 1,024 x 1,024. */
const LENGTH = 1024 * 1024;

/** Tiles summed into one after the other: together more than any cache holds, as in a reducer. */
const TILE_COUNT = 16;

/** Bound of the sums: 2^EXPONENT. */
const EXPONENT = 20;

/**
 * Measures and prints a table.
 *
 * @param args  Options.
 */
export function exactSum(args: readonly string[]): void {
  const { values } = parseArgs({ args: [...args], options: { repetitions: { type: 'string', default: '15' } } });
  const repetitions = Number(values.repetitions);
  const single = Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i));
  const double = Float64Array.from(single);
  const tiles = <T>(make: () => T): T[] => Array.from({ length: TILE_COUNT }, make);
  const plain = tiles(() => new Float64Array(LENGTH));
  const plainOfDouble = tiles(() => new Float64Array(LENGTH));
  const fixed = tiles(() => new FixedQuantumSum(LENGTH, EXPONENT));
  const fixedOfDouble = tiles(() => new FixedQuantumSum(LENGTH, EXPONENT));
  const binned = tiles(() => new BinnedSum(LENGTH));
  const copies = tiles(() => new Float64Array(LENGTH));
  const ways: Record<string, (tile: number) => void> = {
    'float64 += float32': (tile) => addSingle(plain[tile], single),
    'fixed quantum, float32': (tile) => fixed[tile].add(single),
    'binned, float32': (tile) => binned[tile].add(single),
    'float64 += float64': (tile) => addDouble(plainOfDouble[tile], double),
    'fixed quantum, float64': (tile) => fixedOfDouble[tile].add(double),
    'copy of float64': (tile) => copies[tile].set(double),
  };
  const rates = new Map<string, number[]>(Object.keys(ways).map((way) => [way, []]));
  for (let round = -2; round < repetitions; round++) {
    for (const [way, add] of Object.entries(ways)) {
      const before = process.cpuUsage();
      for (let tile = 0; tile < TILE_COUNT; tile++) add(tile);
      const { user, system } = process.cpuUsage(before);
      // Rounds before the first one let the compiler settle.
      if (round >= 0) rates.get(way)?.push((LENGTH * TILE_COUNT) / (user + system));
    }
  }
  const medianOf = (way: string): number => summarise(rates.get(way) ?? []).median;
  const rows = Object.keys(ways).map((way) => {
    const { median, lower, upper } = summarise(rates.get(way) ?? []);
    const floor = way.endsWith('float64') ? 'float64 += float64' : 'float64 += float32';
    return [way, median.toFixed(0), `${lower.toFixed(0)} to ${upper.toFixed(0)}`, (median / medianOf(floor)).toFixed(2)];
  });
  console.log(`${TILE_COUNT} tiles of ${LENGTH} elements, median of ${repetitions}, by processor time\n`);
  console.log(formatTable(['way', 'million elements/s', 'quartiles', 'of the plain addition'], rows));
}

function addSingle(sums: Float64Array, addend: Float32Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += addend[i];
}

function addDouble(sums: Float64Array, addend: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] += addend[i];
}
