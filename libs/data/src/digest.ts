import { createHash } from 'node:crypto';
import type { Dataset } from './dataset.ts';

/**
 * Digest of what a data set holds: shape, inputs and targets, bit by bit. The name does not count.
 *
 * Canonical bytes: one line of JSON (count, inputShape, kind of targets and their width or classCount), a line feed, inputs as
 * little-endian float32, then labels as int32 or values as float32.
 *
 * @param dataset  Any data set.
 * @returns  sha256, 64 hexadecimal digits.
 */
export function datasetDigest({ count, inputShape, inputs, targets }: Dataset): string {
  const hash = createHash('sha256');
  const size = targets.kind === 'labels' ? targets.classCount : targets.kind === 'none' ? 0 : targets.width;
  hash.update(`${JSON.stringify({ count, inputShape, targets: targets.kind, size })}\n`);
  hash.update(bytes(inputs));
  if (targets.kind === 'labels') hash.update(bytes(targets.labels));
  if ('values' in targets) hash.update(bytes(targets.values));
  return hash.digest('hex');
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
