import { formatNumber, formatTable } from '../numerics/report/table.ts';
import type { CaseFigures } from './measure.ts';

/** A target of the design, and what came of it. */
export interface Target {
  /** What is compared or counted. */
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  readonly limit: { readonly atMost: number } | { readonly atLeast: number };
  /** Whether all figures behind it were stable. */
  readonly isStable: boolean;
}

/**
 * A target that needs no three windows.
 *
 * @param what  What is compared or counted.
 * @param figure  What came of it.
 * @param unit  Of the figure.
 * @param limit  Of the figure.
 * @returns  The target.
 */
export function check(what: string, figure: number, unit: string, limit: Target['limit']): Target {
  return { what, figure, unit, limit, isStable: true };
}

/** Result of one part of the bench. */
export interface PartResult {
  readonly title: string;
  readonly cases: readonly CaseFigures[];
  readonly targets: readonly Target[];
}

/**
 * Whether a target was met.
 *
 * @param target  The target.
 * @returns  False also for a figure that is not a number.
 */
export function isMet({ figure, limit }: Target): boolean {
  return 'atMost' in limit ? figure <= limit.atMost : figure >= limit.atLeast;
}

/**
 * A part as text that is also Markdown. "server CPU ms" is processor time for one answer, which a busy machine hardly changes: of the thread that talks, and of
 * all others. "generator CPU" is the processors that the load took, of which the server then had fewer.
 *
 * @param part  The part.
 * @returns  A table of figures, and one of targets.
 */
export function formatPart({ title, cases, targets }: PartResult): string {
  const rows = cases.map((figures) => [
    figures.name,
    figures.pace,
    ...[figures.p50, figures.p95, figures.p99, figures.max].map(formatMs),
    formatNumber(figures.perSecond),
    formatNumber(figures.megabytesPerSecond),
    `${figures.windows.length}${figures.isStable ? '' : ' (unstable)'}`,
    [figures.cpu.main, figures.cpu.others].map((cpu) => formatMs((1000 * cpu) / figures.perSecond)).join(' + '),
    figures.cpu.generator.toFixed(2),
    Object.entries(figures.failures)
      .map(([outcome, count]) => `${count} ${outcome}`)
      .join(', ') || '0',
  ]);
  const head = ['case', 'load', 'p50 ms', 'p95', 'p99', 'max', 'answers/s', 'MB/s', 'windows', 'server CPU ms', 'generator CPU', 'failed'];
  const sections = [`## ${title}`, ...(rows.length > 0 ? [formatTable(head, rows)] : [])];
  if (targets.length > 0) {
    const lines = targets.map((target) => {
      const { what, figure, unit, limit, isStable } = target;
      const bound = 'atMost' in limit ? `at most ${formatNumber(limit.atMost)}` : `at least ${formatNumber(limit.atLeast)}`;
      return [
        what,
        `${formatNumber(figure)} ${unit}`,
        `${bound} ${unit}`,
        `${isMet(target) ? 'met' : 'MISSED'}${isStable ? '' : ', unstable'}`,
      ];
    });
    sections.push(formatTable(['target', 'measured', 'wanted', ''], lines));
  }
  return sections.join('\n\n');
}

function formatMs(value: number): string {
  return Number.isFinite(value) ? formatNumber(value) : '-';
}
