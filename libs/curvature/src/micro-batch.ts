import { Rows, type Network } from '@sublace/network';
import * as tf from '@tensorflow/tfjs';

/** Bytes that the largest tensors of a backward pass may take together, roughly: larger passes leave the caches and are no faster. */
const BUDGET_BYTES = 64 * 2 ** 20;

/** Tensors of the size of the widest layer's signal that a backward pass holds at once. */
const LIVE_SIGNALS = 8;

/**
 * Rows per backward pass: as many as keep the signals and the Jacobian columns within a fixed memory budget. It depends on the model and the
 * subnetwork only, never on the machine, since float32 sums depend on it.
 *
 * @param network  The network.
 * @param columns  Jacobian columns formed at once: S, or 0 when none are kept.
 * @returns  At least 1.
 */
export function rowsPerPass(network: Pick<Network, 'activationElements'>, columns: number): number {
  const perRow = 4 * (LIVE_SIGNALS * network.activationElements.largest + 2 * columns);
  return Math.max(1, Math.floor(BUDGET_BYTES / perRow));
}

/**
 * Examples per micro-batch: as many as have their rows in one backward pass.
 *
 * @param network  The network.
 * @param columns  Jacobian columns formed at once: S, or 0 when none are kept.
 * @param seedCount  Rows per example.
 * @returns  Between 1 and 512. One example may have more rows than a pass: see {@link forEachPass}.
 */
export function microBatchSize(network: Network, columns: number, seedCount: number): number {
  return Math.max(1, Math.min(512, Math.floor(rowsPerPass(network, columns) / seedCount)));
}

/**
 * Cuts the rows of a micro-batch into backward passes over the same tape. Only a single example is ever cut: with a thousand classes its rows
 * alone may be more than memory holds.
 *
 * @param seeds  [R, C]. Borrowed.
 * @param rows  Which example each belongs to.
 * @param rowsMax  Rows per pass, from {@link rowsPerPass}.
 * @param visit  Receives the seeds of a pass, their rows, and the position of the first.
 */
export function forEachPass(
  seeds: tf.Tensor2D,
  rows: Rows,
  rowsMax: number,
  visit: (seeds: tf.Tensor2D, rows: Rows, first: number) => void,
): void {
  if (rows.exampleCount > 1 || rows.rowCount <= rowsMax) {
    visit(seeds, rows, 0);
    return;
  }
  for (let first = 0; first < rows.rowCount; first += rowsMax) {
    const count = Math.min(rowsMax, rows.rowCount - first);
    tf.tidy(() => {
      visit(tf.slice(seeds, [first, 0], [count, seeds.shape[1]]), new Rows(1, count), first);
    });
  }
}
