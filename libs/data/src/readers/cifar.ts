import { SublaceError } from '@sublace/errors';
import type { Dataset } from '../dataset.ts';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD_BYTES = 1 + 3 * PLANE;
const CLASS_COUNT = 10;

/**
 * Reads the CIFAR-10 "binary version": records of 1 label byte, then 1,024 red, 1,024 green and 1,024 blue bytes.
 *
 * @param name  Of the data set.
 * @param batches  One or more files, unpacked, in order.
 * @returns  Images [32, 32, 3], channels last, 0..255, with 10 classes.
 * @throws SublaceError DATA_INVALID for a file that is not a whole number of records or a label above 9.
 */
export function readCifar(name: string, batches: readonly Uint8Array[]): Dataset {
  for (const [i, batch] of batches.entries()) {
    if (batch.length === 0 || batch.length % RECORD_BYTES !== 0) {
      throw new SublaceError(
        'DATA_INVALID',
        `${name}: expected a whole number of CIFAR-10 records of ${RECORD_BYTES} bytes in batch ${i + 1}, got ${batch.length} bytes`,
      );
    }
  }
  const count = batches.reduce((sum, batch) => sum + batch.length / RECORD_BYTES, 0);
  const inputs = new Float32Array(count * 3 * PLANE);
  const labels = new Int32Array(count);
  let n = 0;
  for (const batch of batches) {
    for (let start = 0; start < batch.length; start += RECORD_BYTES, n++) {
      labels[n] = batch[start];
      if (labels[n] >= CLASS_COUNT)
        throw new SublaceError('DATA_INVALID', `${name}: expected labels in 0..9, got ${labels[n]} in row ${n}`);
      for (let pixel = 0; pixel < PLANE; pixel++) {
        for (let channel = 0; channel < 3; channel++)
          inputs[(n * PLANE + pixel) * 3 + channel] = batch[start + 1 + channel * PLANE + pixel];
      }
    }
  }
  return { name, count, inputShape: [SIDE, SIDE, 3], inputs, targets: { kind: 'labels', labels, classCount: CLASS_COUNT } };
}
