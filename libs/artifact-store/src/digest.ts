import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ArtifactFile } from './manifest.ts';

/**
 * SHA-256 of bytes in memory.
 *
 * @param bytes  The content.
 * @returns  64 lower-case hexadecimal digits.
 */
export function sha256OfBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * SHA-256 of a file, read in chunks, so a file of any size needs little memory.
 *
 * @param path  The file.
 * @returns  64 lower-case hexadecimal digits.
 */
export function sha256OfFile(path: string): Promise<string> {
  return sha256OfStream(createReadStream(path, { highWaterMark: 1 << 20 }));
}

/**
 * SHA-256 of a file that is open, whatever its name stands for by now.
 *
 * @param descriptor  The open file; it stays open.
 * @returns  64 lower-case hexadecimal digits.
 */
export function sha256OfOpenFile(descriptor: number): Promise<string> {
  return sha256OfStream(createReadStream('', { fd: descriptor, autoClose: false, start: 0, highWaterMark: 1 << 20 }));
}

async function sha256OfStream(stream: ReadStream): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * The line of a manifest for one file: name, SHA-256 and size.
 *
 * @param path  The file; its last part becomes the name.
 * @returns  What `verifyFiles` later compares with.
 */
export async function describeFile(path: string): Promise<ArtifactFile> {
  const [sha256, { size }] = [await sha256OfFile(path), await stat(path)];
  return { name: basename(path), sha256, bytes: size };
}
