import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256OfFile } from '@sublace/artifact-store';
import { blocksOf, denseOf, TiledMatrix } from '@sublace/linalg';
import { TILE_SIZE } from '@sublace/partials';
import { afterAll, describe, expect, it } from 'vitest';
import { openTileFile, writeTileFile } from './tile-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sublace-tiles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function symmetric(size: number): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return Math.max(row, column) + 1 / (1 + Math.min(row, column));
  });
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

describe('a file of tiles', () => {
  it.each([1, 3, TILE_SIZE, TILE_SIZE + 1])('gives back the matrix that was written, size %i', async (size) => {
    const path = join(folder, `ggn-${size}.safetensors`);
    const dense = symmetric(size);
    const file = await writeTileFile(path, size, TiledMatrix.fromDense(dense, size).take('ggn'), 'ggn');
    expect(file).toEqual({ name: `ggn-${size}.safetensors`, sha256: await sha256OfFile(path), bytes: statSync(path).size });
    const matrix = openTileFile(path, size, 'ggn');
    expect(Buffer.compare(bytesOf(denseOf(matrix)), bytesOf(dense))).toBe(0);
    matrix.dispose();
  });

  it('that holds another matrix is refused', async () => {
    const path = join(folder, 'factor.safetensors');
    await writeTileFile(path, 3, blocksOf(TiledMatrix.fromDense(symmetric(3), 3), 'factor'), 'factor');
    const open = (size: number, prefix: string) => () => openTileFile(path, size, prefix);
    expect(open(3, 'ggn')).toThrow('tiles of 3 weights: expected ggn/0/0 of F64 [3, 3], got factor/0/0 of F64 [3, 3]');
    expect(open(4, 'factor')).toThrow('tiles of 4 weights: expected factor/0/0 of F64 [4, 4], got factor/0/0 of F64 [3, 3]');
    expect(open(TILE_SIZE + 1, 'factor')).toThrow(
      'tiles of 1025 weights: expected factor/0/0 of F64 [1024, 1024], got factor/0/0 of F64 [3, 3]',
    );
  });

  it('lacks a tile: it is not finished', async () => {
    const path = join(folder, 'half.safetensors');
    await expect(writeTileFile(path, 3, [], 'ggn')).rejects.toThrow("tensor 'ggn/0/0': expected 72 bytes, got 0");
  });

  it('cannot be written where there is no folder', async () => {
    const path = join(folder, 'nowhere', 'ggn.safetensors');
    await expect(writeTileFile(path, 3, [], 'ggn')).rejects.toThrow(/^posterior: expected a file that can be written, got ENOENT/);
  });
});
