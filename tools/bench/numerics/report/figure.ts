import type { FloorWork, Floors, Measurement, ProcessReport } from '../measurement.ts';
import { summarise, type Summary } from './statistics.ts';

/** A measurement as it is printed and stored. */
export interface Figure extends Summary {
  readonly problem: string;
  readonly quantity: string;
  readonly unit: string;
  readonly repetitions: number;
  /** In the same unit, and how near the median comes: 1 is as good as the floor. */
  readonly floor?: { readonly name: string; readonly value: number; readonly share: number };
  readonly facts: readonly string[];
  readonly peers?: string;
}

/** A case: what one process, or several side by side, measured. */
export interface CaseFigures {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** Of all processes together. */
  readonly floors: Floors;
  readonly startBytes: number;
  readonly peakBytes: number;
  readonly runtime: string;
  readonly failures: readonly string[];
}

/**
 * Time that some work takes at the least.
 *
 * @param work  The work.
 * @param floors  Rates.
 * @returns  Seconds.
 */
export function floorSeconds(work: FloorWork, floors: Floors): number {
  const { float32Flops = 0, float64Flops = 0, copiedBytes = 0, seconds = 0 } = work;
  return float32Flops / floors.float32 + float64Flops / floors.float64 + copiedBytes / floors.copy + seconds;
}

/**
 * Joins what processes measured side by side: repetition by repetition the slowest counts, their work and rates add up.
 *
 * @param name  Of the case.
 * @param reports  One per process, of the same measurements.
 * @returns  The figures.
 * @throws {Error} when the processes did not measure the same.
 */
export function joinProcesses(name: string, reports: readonly ProcessReport[]): CaseFigures {
  const sum = (value: (report: ProcessReport) => number): number => reports.reduce((total, report) => total + value(report), 0);
  return {
    name,
    figures: reports[0].measurements.map((_, i) => {
      const parts = reports.map(({ measurements, floors }) => ({ measurement: measurements[i], floors }));
      return figureOf(parts);
    }),
    floors: {
      float32: sum(({ floors }) => floors.float32),
      float64: sum(({ floors }) => floors.float64),
      copy: sum(({ floors }) => floors.copy),
    },
    startBytes: sum((report) => report.startBytes),
    peakBytes: sum((report) => report.peakBytes),
    runtime: reports[0].runtime,
    failures: reports.flatMap((report) => report.failures),
  };
}

function figureOf(parts: readonly { readonly measurement: Measurement; readonly floors: Floors }[]): Figure {
  const [{ measurement: first }] = parts;
  for (const { measurement } of parts) {
    if (measurement?.quantity === first.quantity && measurement.seconds.length === first.seconds.length) continue;
    throw new Error(`${first.problem}, ${first.quantity}: expected the same repetitions in every process`);
  }
  const seconds = first.seconds.map((_, repetition) => Math.max(...parts.map(({ measurement }) => measurement.seconds[repetition])));
  const amount = parts.reduce((total, { measurement }) => total + (measurement.work?.amount ?? 0), 0);
  const { scale, unit } = first.work ? { scale: 1, unit: `${first.work.unit}/s` } : unitOfTime(summarise(seconds).median);
  const valueOf = (time: number): number => (first.work ? amount / time : scale * time);
  const summary = summarise(seconds.map(valueOf));
  const least = Math.max(...parts.map(({ measurement, floors }) => (measurement.floor ? floorSeconds(measurement.floor, floors) : 0)));
  return {
    problem: first.problem,
    quantity: first.quantity,
    unit,
    ...summary,
    repetitions: seconds.length,
    ...(first.floor && {
      floor: { name: first.floorName ?? '', value: valueOf(least), share: least / summarise(seconds).median },
    }),
    facts: first.facts ?? [],
    ...(first.peers !== undefined && { peers: first.peers }),
  };
}

function unitOfTime(seconds: number): { scale: number; unit: string } {
  return seconds < 1 ? { scale: 1000, unit: 'ms' } : { scale: 1, unit: 's' };
}
