import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { SublaceError } from '@sublace/errors';
import type { PredictedOutput } from '@sublace/pipeline';
import { writeNpy } from '@sublace/tensor-files';

/** Kinds of file that predictions can be written to. */
export const OUTPUT_KINDS = ['.json', '.csv', '.npy'];

/**
 * Predictions as JSON: one object per input, arrays for outputs of more than one value.
 *
 * @param outputs  Named outputs, [N] or [N, ...]; what belongs to one input is one flat array.
 * @returns  One object per input.
 */
export function toRows(outputs: readonly PredictedOutput[]): Record<string, number | number[]>[] {
  const count = outputs[0]?.shape[0] ?? 0;
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      outputs.map(({ name, shape, data }) => {
        const width = widthOf(shape);
        return [name, shape.length === 1 ? data[row] : Array.from(data.subarray(row * width, (row + 1) * width))];
      }),
    ),
  );
}

/** Values that belong to one input. */
function widthOf(shape: readonly number[]): number {
  return shape.slice(1).reduce((product, extent) => product * extent, 1);
}

function toCsv(outputs: readonly PredictedOutput[]): string {
  const header = outputs.flatMap(({ name, shape }) =>
    shape.length === 1 ? [name] : Array.from({ length: widthOf(shape) }, (_, column) => `${name}_${column}`),
  );
  const rows = toRows(outputs).map((row) => Object.values(row).flat().join(','));
  return `${[header.join(','), ...rows].join('\n')}\n`;
}

/** [N, D]: the outputs side by side, in the order asked for. */
function toNpy(outputs: readonly PredictedOutput[]): Uint8Array {
  const rows = toRows(outputs).map((row) => Object.values(row).flat());
  return writeNpy({ dtype: 'F64', shape: [rows.length, rows[0]?.length ?? 0], data: Float64Array.from(rows.flat()) });
}

/**
 * Writes predictions to a .json, .csv or .npy file, whole or not at all.
 *
 * @param file  Path; its ending says the kind. An .npy file holds the outputs side by side as columns.
 * @param outputs  Named outputs.
 * @throws {SublaceError} USAGE for another ending, OUTPUT_UNWRITABLE when the file cannot be written.
 */
export function writeOutputs(file: string, outputs: readonly PredictedOutput[]): void {
  const kind = extname(file);
  if (!OUTPUT_KINDS.includes(kind))
    throw new SublaceError('USAGE', `--output: expected a file ending in ${OUTPUT_KINDS.join(', ')}, got '${file}'`);
  const content = kind === '.csv' ? toCsv(outputs) : kind === '.npy' ? toNpy(outputs) : `${JSON.stringify(toRows(outputs))}\n`;
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new SublaceError('OUTPUT_UNWRITABLE', `output: expected a file that can be written, got ${file}: ${reason}`, { cause: error });
  }
}
