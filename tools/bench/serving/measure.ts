import { quantile } from '../numerics/report/statistics.ts';
import { OK, type LoadTarget } from './load/connection.ts';
import type { LoadWindow, Pace } from './load/generator.ts';
import type { Generator } from './load/start-generator.ts';
import { threadTimes } from './thread-times.ts';

/** One thing that is measured. */
export interface Case {
  readonly name: string;
  readonly target: LoadTarget;
  readonly pace: Pace;
  /** Process id of the server, for its processor time. */
  readonly pid: number;
  /** Bytes of tensors of one request, in and out. */
  readonly tensorBytes: number;
}

/** How long to measure. */
export interface Effort {
  readonly windowMs: number;
  readonly warmUpMs: number;
  /** Most rounds; fewer when everything is stable. */
  readonly roundsMax: number;
}

/** Rounds whose figures must agree, and by how much, as Triton's benchmarks have it. */
const STABLE = { rounds: 3, share: 0.15 };

/** One window in numbers. Latencies of good answers, ms. */
export interface WindowFigures {
  readonly p50: number;
  /** Good answers a second. */
  readonly perSecond: number;
}

/** A case in numbers: the last windows together. Latencies of good answers, ms. */
export interface CaseFigures {
  readonly name: string;
  readonly pace: string;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly perSecond: number;
  readonly megabytesPerSecond: number;
  /** Answers that were not good, by outcome. */
  readonly failures: Readonly<Record<string, number>>;
  /** Whether the last three windows agree within 15 %. */
  readonly isStable: boolean;
  readonly windows: readonly WindowFigures[];
  /** Processors that were busy: load generator, the server's main thread, its other threads. */
  readonly cpu: { readonly generator: number; readonly main: number; readonly others: number };
}

interface Measured {
  readonly window: LoadWindow;
  readonly figures: WindowFigures;
  readonly main: number;
  readonly others: number;
}

/**
 * Measures cases side by side: one window of each, in turn, until all are stable, so that whatever else the machine does hits them alike.
 *
 * @param generator  Makes the load.
 * @param cases  What to measure.
 * @param effort  How long.
 * @returns  Figures, in the order of the cases.
 */
export async function measureInterleaved(generator: Generator, cases: readonly Case[], effort: Effort): Promise<CaseFigures[]> {
  const measured = cases.map((): Measured[] => []);
  for (let round = 0; round < effort.roundsMax; round++) {
    for (const [i, each] of cases.entries()) measured[i].push(await measureWindow(generator, each, effort));
    if (measured.every((windows) => isStable(windows.map(({ figures }) => figures)))) break;
  }
  return cases.map((each, i) => figuresOf(each, measured[i]));
}

async function measureWindow(generator: Generator, { target, pace, pid }: Case, { windowMs, warmUpMs }: Effort): Promise<Measured> {
  const before = threadTimes(pid);
  const window = await generator.run({ target, pace, warmUpMs, windowMs });
  const after = threadTimes(pid);
  const seconds = (warmUpMs + windowMs) / 1000;
  const good = goodLatencies(window);
  const figures = { p50: good.length > 0 ? quantile(good, 0.5) : NaN, perSecond: good.length / window.seconds };
  return { window, figures, main: (after.main - before.main) / seconds, others: (after.others - before.others) / seconds };
}

/**
 * Latencies of good answers.
 *
 * @param window  A window.
 * @returns  ms.
 */
export function goodLatencies(window: LoadWindow): number[] {
  const ok = window.outcomes.indexOf(OK);
  return [...window.latency].filter((_, i) => window.outcome[i] === ok);
}

/**
 * Whether the last windows agree: rate and median latency of each within 15 % of their mean.
 *
 * @param windows  In order.
 * @returns  False for fewer than three.
 */
export function isStable(windows: readonly WindowFigures[]): boolean {
  const last = windows.slice(-STABLE.rounds);
  const agree = (values: readonly number[]): boolean => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.every((value) => Math.abs(value - mean) <= STABLE.share * mean);
  };
  return last.length === STABLE.rounds && agree(last.map(({ p50 }) => p50)) && agree(last.map(({ perSecond }) => perSecond));
}

function figuresOf({ name, pace, tensorBytes }: Case, measured: readonly Measured[]): CaseFigures {
  const last = measured.slice(-STABLE.rounds);
  const good = last.flatMap(({ window }) => goodLatencies(window));
  const at = (share: number): number => (good.length > 0 ? quantile(good, share) : NaN);
  const perSecond = mean(last.map(({ figures }) => figures.perSecond));
  return {
    name,
    pace:
      pace.kind === 'closed'
        ? `${pace.concurrency} at once`
        : `${pace.steps.map(({ perSecond }) => perSecond.toFixed(0)).join(', ')} per s`,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
    perSecond,
    megabytesPerSecond: (perSecond * tensorBytes) / 1e6,
    failures: failuresOf(last.map(({ window }) => window)),
    isStable: isStable(measured.map(({ figures }) => figures)),
    windows: measured.map(({ figures }) => figures),
    cpu: {
      generator: mean(last.map(({ window }) => window.cpu / window.seconds)),
      main: mean(last.map(({ main }) => main)),
      others: mean(last.map(({ others }) => others)),
    },
  };
}

/**
 * Answers that were not good.
 *
 * @param windows  Any.
 * @returns  Number by outcome.
 */
export function failuresOf(windows: readonly LoadWindow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, outcomes } of windows) {
    for (const code of outcome) if (outcomes[code] !== OK) counts[outcomes[code]] = (counts[outcomes[code]] ?? 0) + 1;
  }
  return counts;
}

/**
 * How two cases that were measured side by side compare: the median over the rounds of their quotient in one round.
 *
 * @param of  Above the line.
 * @param to  Below it.
 * @param quantity  What is compared.
 * @returns  The quotient.
 */
export function ratio(of: CaseFigures, to: CaseFigures, quantity: keyof WindowFigures): number {
  const quotients = of.windows.map((window, round) => window[quantity] / to.windows[round][quantity]).filter(Number.isFinite);
  return quotients.length > 0 ? quantile(quotients, 0.5) : NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
