import { describe, expect, it } from 'vitest';
import { readTar } from './tar.ts';
import { makeTar } from './make-tar.fixture.ts';

describe('readTar', () => {
  it('reads files of any length by base name and passes over folders', () => {
    const files = { 'a.bin': Uint8Array.of(1, 2, 3), 'b.bin': new Uint8Array(512).fill(7), empty: new Uint8Array(0) };
    expect(Object.fromEntries(readTar(makeTar('folder', files)))).toEqual(files);
  });
  it('refuses a damaged header and a truncated archive', () => {
    const tar = makeTar('folder', { 'a.bin': new Uint8Array(600) });
    expect(() => readTar(tar.subarray(0, 1500))).toThrow('tar: expected 1624 bytes, got 1500 (truncated)');
    tar[520] ^= 1;
    expect(() => readTar(tar)).toThrow('tar: expected header checksum');
  });
});
