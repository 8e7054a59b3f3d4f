/** One cell; numbers are right-aligned as they are written. */
export type Cell = string | number;

function width(text: string): number {
  return Array.from(text).length;
}

/**
 * Lays out rows as columns of text, for a terminal or a log.
 *
 * @param header  Column titles.
 * @param rows  Cells, as many as there are titles. A column whose cells are all numbers or numeric text is aligned to the right.
 * @returns  The lines, joined, with no newline at the end.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(String));
  const widths = header.map((title, column) => Math.max(width(title), ...texts.map((row) => width(row[column] ?? ''))));
  const isNumeric = header.map(
    (_, column) => texts.length > 0 && texts.every((row) => /^(|-|[-+]?[\d.,]+(e[-+]?\d+)?( ?%)?)$/i.test(row[column] ?? '')),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const padding = ' '.repeat((widths[column] ?? 0) - width(cell));
        return isNumeric[column] ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(header), line(widths.map((count) => '-'.repeat(count))), ...texts.map(line)].join('\n');
}

/**
 * Lays out names and values as two columns.
 *
 * @param rows  Name and value.
 * @returns  The lines, joined, with no newline at the end.
 */
export function formatPairs(rows: readonly (readonly [string, Cell])[]): string {
  const longest = Math.max(0, ...rows.map(([name]) => width(name)));
  return rows.map(([name, value]) => `${name}${' '.repeat(longest - width(name))}  ${value}`).join('\n');
}
