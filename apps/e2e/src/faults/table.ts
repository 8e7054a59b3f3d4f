/** What came of one fault. */
export interface Row {
  role: string;
  name: string;
  moment: string;
  store: string;
  /** Whether it was survived; undefined where it could not be run. */
  passed?: boolean;
  /** What came of it, in words. */
  outcome: string;
  /** Why it is certain that it struck. */
  proof: string;
  seconds: number;
}

/**
 * One row as a line for a terminal.
 *
 * @param row  The row.
 * @returns  The line.
 */
export function lineOf(row: Row): string {
  const mark = { true: 'ok    ', false: 'FAILED', undefined: '-     ' }[String(row.passed)];
  return `${mark} ${row.seconds.toFixed(1).padStart(6)} s  ${row.store.padEnd(8)}  ${row.role}: ${row.name}, ${row.moment}: ${row.outcome}`;
}

/**
 * The rows as a Markdown table.
 *
 * @param rows  In the order of the table.
 * @returns  Its lines.
 */
export function markdownOf(rows: readonly Row[]): string {
  const head = ['who', 'what happens', 'when', 'store', 'outcome', 's', 'seen'];
  const cells = rows.map((row) => [row.role, row.name, row.moment, row.store, row.outcome, row.seconds.toFixed(1), row.proof]);
  const lines = [head, head.map(() => '---'), ...cells].map((line) => `| ${line.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

/**
 * How many were survived.
 *
 * @param rows  All rows.
 * @returns  One line.
 */
export function totalOf(rows: readonly Row[]): string {
  const count = (passed: boolean | undefined): number => rows.filter((row) => row.passed === passed).length;
  const skipped = count(undefined);
  return `${count(true)} survived, ${count(false)} not${skipped > 0 ? `, ${skipped} could not be run here` : ''}`;
}
