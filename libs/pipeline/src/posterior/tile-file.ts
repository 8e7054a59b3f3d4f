import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { ArtifactFile } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { TileSource } from '@sublace/linalg';
import { TILE_SIZE, tilesOfLowerTriangle, type Block } from '@sublace/partials';
import {
  createSafetensorsWriter,
  layoutSafetensors,
  readSafetensorsHeader,
  safetensorsHeaderBytes,
  type SafetensorsEntry,
} from '@sublace/tensor-files';

/**
 * Writes a matrix as safetensors, tile by tile, hashing what goes by: neither file nor matrix is ever whole in memory.
 *
 * @param path  The file.
 * @param size  Side of the matrix.
 * @param tiles  Its float64 tiles named `<prefix>/row/column`, in the order of `tilesOfLowerTriangle`; each may be let go once the next is asked for.
 * @param prefix  First part of the tiles' names.
 * @returns  Name, digest and size of the file.
 * @throws {SublaceError} OUTPUT_UNWRITABLE when the disk is full.
 */
export async function writeTileFile(
  path: string,
  size: number,
  tiles: Iterable<Block> | AsyncIterable<Block>,
  prefix: string,
): Promise<ArtifactFile> {
  const layout = layoutSafetensors(
    tilesOfLowerTriangle(size).map(({ row, column, rows, columns }) => ({
      name: `${prefix}/${row}/${column}`,
      dtype: 'F64',
      shape: [rows, columns],
    })),
  );
  const hash = createHash('sha256');
  const descriptor = orUnwritable(() => openSync(path, 'w'));
  try {
    const writer = createSafetensorsWriter(layout, (bytes) => {
      hash.update(bytes);
      orUnwritable(() => writeWhole(descriptor, bytes));
    });
    for await (const { name, data } of tiles) await writer.append(name, data);
    await writer.finish();
  } finally {
    closeSync(descriptor);
  }
  return { name: basename(path), sha256: hash.digest('hex'), bytes: layout.totalBytes };
}

/** A matrix in a file that {@link writeTileFile} wrote: each tile is read when it is asked for. */
export class TileFile implements TileSource {
  readonly size: number;
  readonly tileSize = TILE_SIZE;
  readonly #descriptor: number;
  readonly #entries: readonly SafetensorsEntry[];

  /**
   * @param file  The open file, which is closed by `dispose`, and its size.
   * @param file.descriptor  Its descriptor.
   * @param file.bytes  Its size.
   * @param size  Side of the matrix.
   * @param prefix  First part of the tiles' names.
   * @throws {SublaceError} DATA_INVALID when the file holds something else.
   */
  constructor({ descriptor, bytes }: { readonly descriptor: number; readonly bytes: number }, size: number, prefix: string) {
    this.size = size;
    this.#descriptor = descriptor;
    try {
      this.#entries = readEntries(descriptor, bytes, size, prefix);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  tile(row: number, column: number): Float64Array {
    const { start, end } = this.#entries[(row * (row + 1)) / 2 + column];
    return new Float64Array(readWhole(this.#descriptor, start, end - start).buffer);
  }

  dispose(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * Opens a file of tiles whose digest is known to be right.
 *
 * @param path  The file.
 * @param size  Side of the matrix.
 * @param prefix  First part of the tiles' names.
 * @returns  The matrix; dispose of it.
 */
export function openTileFile(path: string, size: number, prefix: string): TileFile {
  const descriptor = openSync(path, 'r');
  return new TileFile({ descriptor, bytes: fstatSync(descriptor).size }, size, prefix);
}

/** The tiles' places in the file, in the order of `tilesOfLowerTriangle`. */
function readEntries(descriptor: number, bytes: number, size: number, prefix: string): SafetensorsEntry[] {
  const headerBytes = safetensorsHeaderBytes(readWhole(descriptor, 0, Math.min(8, bytes)), bytes);
  const { entries } = readSafetensorsHeader(readWhole(descriptor, 0, headerBytes), bytes);
  const expected = tilesOfLowerTriangle(size).map(
    ({ row, column, rows, columns }) => `${prefix}/${row}/${column} of F64 [${rows}, ${columns}]`,
  );
  const got = entries.map(({ name, dtype, shape }) => `${name} of ${dtype} [${shape.join(', ')}]`);
  const odd = Array.from({ length: Math.max(expected.length, got.length) }, (_, i) => i).find((i) => expected[i] !== got[i]);
  if (odd === undefined) return entries;
  const message = `tiles of ${size} weights: expected ${expected[odd] ?? 'no more'}, got ${got[odd] ?? 'no more'}`;
  throw new SublaceError('DATA_INVALID', message);
}

/** Exactly these bytes; the array owns its whole buffer. */
function readWhole(descriptor: number, position: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  for (let done = 0; done < count;) {
    const read = readSync(descriptor, bytes, done, count - done, position + done);
    if (read === 0)
      throw new SublaceError('DATA_INVALID', `expected ${count} bytes at ${position}, got ${done} before the end of the file`);
    done += read;
  }
  return bytes;
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

/**
 * Runs a write. A full disk is no reason to compute the posterior again.
 *
 * @param write  Writes something.
 * @returns  What it returns.
 * @throws {SublaceError} OUTPUT_UNWRITABLE when it fails.
 */
export function orUnwritable<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SublaceError('OUTPUT_UNWRITABLE', `posterior: expected a file that can be written, got ${reason}; free some space`, {
      cause: error,
    });
  }
}
