import { SublaceError } from '@sublace/errors';
import { parse } from 'csv-parse/sync';
import type { Dataset, Targets } from '../dataset.ts';
import { flagsFrom, labelsFrom, type LikelihoodHint } from './from-tensors.ts';

/** How to read a table. */
export interface CsvOptions {
  /** Column with the target: a name of the header, a position from 0, several of them as `a,b,c`, or `none`. Default: the last column. */
  target?: string;
  /** `classification` reads the target as class labels, `binary` as answers of 0 or 1; otherwise it is a regression value. */
  likelihood?: LikelihoodHint;
  /** Between cells. Default: semicolon or tab where the first line has one, else comma. */
  delimiter?: string;
}

/**
 * Reads a table of numbers. The first line is a header when any of its cells is not a number.
 *
 * @param name  Of the data set.
 * @param text  The file.
 * @param options  Target column, likelihood, delimiter.
 * @returns  Vectors of the columns that are no targets, and their targets.
 * @throws SublaceError DATA_INVALID naming the line of a ragged row or of a cell that is not a number.
 */
export function readCsv(name: string, text: string, options: CsvOptions = {}): Dataset {
  const firstLine = text.slice(0, text.search(/\n|$/));
  const delimiter = options.delimiter ?? [';', '\t'].find((candidate) => firstLine.includes(candidate)) ?? ',';
  const records = parseRecords(name, text, delimiter);
  if (records.length === 0) throw new SublaceError('DATA_INVALID', `${name}: expected rows of numbers, got an empty table`);
  const hasHeader = records[0].record.some((cell) => !isNumber(cell));
  const header = hasHeader ? records[0].record : undefined;
  const rows = hasHeader ? records.slice(1) : records;
  if (rows.length === 0) throw new SublaceError('DATA_INVALID', `${name}: expected rows of numbers after the header, got none`);

  const width = rows[0].record.length;
  const targetColumns = findTargets(name, options.target, header, width);
  const inputWidth = width - targetColumns.length;
  if (inputWidth === 0)
    throw new SublaceError('DATA_INVALID', `${name}: expected at least one input column beside the target, got ${width} column`);
  const inputs = new Float32Array(rows.length * inputWidth);
  const targets = new Float64Array(rows.length * targetColumns.length);
  rows.forEach(({ record, line }, n) => {
    let position = n * inputWidth;
    record.forEach((cell, column) => {
      if (!isNumber(cell)) {
        throw new SublaceError(
          'DATA_INVALID',
          `${name}: line ${line}, column ${header?.[column] ?? column}: expected a number, got ${JSON.stringify(cell.slice(0, 40))}`,
        );
      }
      const place = targetColumns.indexOf(column);
      if (place >= 0) targets[n * targetColumns.length + place] = parseNumber(cell);
      else inputs[position++] = parseNumber(cell);
    });
  });
  return {
    name,
    count: rows.length,
    inputShape: [inputWidth],
    inputs,
    targets: targetsFrom(name, targets, targetColumns.length, options.likelihood),
  };
}

function parseRecords(name: string, text: string, delimiter: string): { record: string[]; line: number }[] {
  try {
    const parsed = parse(text, { delimiter, bom: true, trim: true, skip_empty_lines: true, info: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (cause) {
    // csv-parse names the line and both counts of a ragged row.
    throw new SublaceError('DATA_INVALID', `${name}: expected rows of equal length: ${(cause as Error).message}`, { cause });
  }
}

/** Positions of the target columns, in the order asked for. */
function findTargets(name: string, target: string | undefined, header: string[] | undefined, width: number): number[] {
  if (target === 'none') return [];
  if (target === undefined) return [width - 1];
  const whole = findColumn(target, header, width);
  const columns = whole === undefined ? target.split(',').map((part) => findColumn(part, header, width)) : [whole];
  const known = header ? `${header.join(', ')}, a position 0..${width - 1}` : `a position 0..${width - 1}`;
  return columns.map((column, i) => {
    if (column !== undefined && columns.indexOf(column) === i) return column;
    throw new SublaceError(
      'DATA_INVALID',
      `${name}: expected target=COLUMN to be one of ${known} or none, or several as a,b, got '${target}'`,
    );
  });
}

function findColumn(text: string, header: string[] | undefined, width: number): number | undefined {
  const named = header?.indexOf(text) ?? -1;
  if (named >= 0) return named;
  return /^\d+$/.test(text) && Number(text) < width ? Number(text) : undefined;
}

function targetsFrom(name: string, values: Float64Array, width: number, hint: LikelihoodHint): Targets {
  if (width === 0) return { kind: 'none' };
  if (hint === 'classification') return labelsFrom(name, values, width);
  if (hint === 'binary') return flagsFrom(name, values, width);
  return { kind: 'values', values: Float32Array.from(values), width };
}

/** Spellings of values that are numbers to other tools but not finite; they are read, and then refused by row. */
const NON_FINITE: Record<string, number> = { nan: NaN, inf: Infinity, infinity: Infinity, '-inf': -Infinity, '-infinity': -Infinity };

function isNumber(cell: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) || Object.hasOwn(NON_FINITE, cell.toLowerCase());
}

function parseNumber(cell: string): number {
  return NON_FINITE[cell.toLowerCase()] ?? Number(cell);
}
