import { SublaceError } from '@sublace/errors';
import { DTYPES, bytesOf, type TensorData } from './tensor.ts';
import type { SafetensorsLayout } from './safetensors-layout.ts';

/** Takes the next bytes of the file; the bytes may be reused once it has returned or its promise has settled. */
export type ByteSink = (bytes: Uint8Array) => void | Promise<void>;

/** Writes a laid-out file front to back in pieces, so that no piece need be larger than memory or 4 GiB. */
export interface SafetensorsWriter {
  /**
   * Appends the next elements of the named tensor; tensors come in the layout's order, each in as many pieces as wanted.
   *
   * @throws SublaceError INVALID_ARGUMENT for another tensor's turn, SHAPE_MISMATCH for a wrong array type or too many elements.
   */
  append(name: string, data: TensorData): Promise<void>;
  /**
   * Checks that every tensor is complete. Call it before the file is given its final name.
   *
   * @throws SublaceError SHAPE_MISMATCH naming the tensor that lacks elements.
   */
  finish(): Promise<void>;
}

/**
 * A writer for a file laid out by `layoutSafetensors`. The header goes to the sink with the first piece.
 *
 * @param layout  What will be written.
 * @param sink  Where the bytes go, in file order.
 * @returns  The writer.
 */
export function createSafetensorsWriter(layout: SafetensorsLayout, sink: ByteSink): SafetensorsWriter {
  let position = 0;
  let current = 0;

  const start = async (): Promise<void> => {
    if (position > 0) return;
    position = layout.header.length;
    await sink(layout.header);
  };
  const skipComplete = (): void => {
    while (current < layout.entries.length && layout.entries[current].end === position) current++;
  };

  return {
    async append(name, data) {
      await start();
      const empty = layout.entries.find((entry) => entry.name === name && entry.start === entry.end);
      if (empty && data.length === 0) return;
      skipComplete();
      const entry = layout.entries[current];
      if (entry?.name !== name) {
        throw new SublaceError(
          'INVALID_ARGUMENT',
          `safetensors: expected data for ${entry ? `'${entry.name}'` : 'nothing more'}, got '${name}'`,
        );
      }
      if (!(data instanceof DTYPES[entry.dtype]) || position + data.byteLength > entry.end) {
        throw new SublaceError(
          'SHAPE_MISMATCH',
          `safetensors: tensor '${name}': expected at most ${entry.end - position} more bytes in a ${DTYPES[entry.dtype].name}, got ${data.byteLength} in a ${data.constructor.name}`,
        );
      }
      position += data.byteLength;
      await sink(bytesOf(data));
    },
    async finish() {
      await start();
      skipComplete();
      const entry = layout.entries[current];
      if (entry)
        throw new SublaceError(
          'SHAPE_MISMATCH',
          `safetensors: tensor '${entry.name}': expected ${entry.end - entry.start} bytes, got ${position - entry.start}`,
        );
    },
  };
}
