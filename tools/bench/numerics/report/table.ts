import type { CaseFigures, Figure } from './figure.ts';

/**
 * A table that reads well as text and is Markdown.
 *
 * @param header  Titles.
 * @param rows  As many cells each.
 * @returns  Lines, joined.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = header.map((title, column) => Math.max(3, ...[title, ...escaped.map((row) => row[column])].map((cell) => cell.length)));
  const line = (cells: readonly string[], padding: string): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column], padding)).join(' | ')} |`;
  return [
    line(header, ' '),
    line(
      header.map(() => '-'),
      '-',
    ),
    ...escaped.map((row) => line(row, ' ')),
  ].join('\n');
}

/**
 * The figures of a part.
 *
 * @param cases  Its cases.
 * @returns  A Markdown table, and below it the floors of each case.
 */
export function formatPart(cases: readonly CaseFigures[]): string {
  const rows = cases.flatMap(({ figures }) => figures.map(rowOf));
  const titles = ['problem', 'what', 'median', 'quartiles', 'unit', 'floor', 'of floor', 'more', 'laplace-torch 0.2.3'];
  // A column is left out where it has nothing to say.
  const told = titles.map((_, column) => rows.some((row) => row[column] !== '-'));
  const [header, ...lines] = [titles, ...rows].map((row) => row.filter((_, column) => told[column]));
  const machines = cases.map(({ name, floors, startBytes, peakBytes }) => {
    const rates = `float32 product ${billions(floors.float32)} GFLOP/s, float64 ${billions(floors.float64)} GFLOP/s, copy ${billions(floors.copy)} GB/s`;
    return `- ${name}: ${rates}; peak memory ${inMb(peakBytes)} MB, ${inMb(startBytes)} MB of it before the work`;
  });
  return `${formatTable(header, lines)}\n\n${machines.join('\n')}`;
}

function rowOf({ problem, quantity, median, lower, upper, unit, floor, facts, peers }: Figure): string[] {
  return [
    problem,
    quantity,
    formatNumber(median),
    `${formatNumber(lower)} to ${formatNumber(upper)}`,
    unit,
    floor ? `${formatNumber(floor.value)} (${floor.name})` : '-',
    floor ? floor.share.toFixed(2) : '-',
    facts.join('; ') || '-',
    peers ?? '-',
  ];
}

/**
 * A positive number with three digits that count.
 *
 * @param value  The number.
 * @returns  Text, with a comma between thousands.
 */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en', { minimumFractionDigits: Math.min(digits, 6), maximumFractionDigits: Math.min(digits, 6) });
}

function billions(rate: number): string {
  return formatNumber(rate / 1e9);
}

function inMb(bytes: number): string {
  return Math.round(bytes / 1e6).toLocaleString('en');
}
