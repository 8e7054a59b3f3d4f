import type { Network } from '@sublace/network';

/** Bytes that the largest tensors of a micro-batch may take together, roughly. */
const BUDGET_BYTES = 256 * 2 ** 20;

/** Tensors of the size of the widest layer's signal that a backward pass holds at once. */
const LIVE_SIGNALS = 8;

/**
 * Examples per micro-batch: as many as keep the backward signals and the Jacobian rows within a fixed memory budget. It depends on the model and
 * the subnetwork only, never on the machine, since float32 sums depend on it.
 *
 * @param network  The network.
 * @param columns  Jacobian columns formed at once: S, or 0 when none are kept.
 * @returns  Between 1 and 512.
 */
export function microBatchSize(network: Network, columns: number): number {
  const perRow = 4 * (LIVE_SIGNALS * network.activationElements.largest + 2 * columns);
  const examples = Math.floor(BUDGET_BYTES / (perRow * network.outputCount));
  return Math.max(1, Math.min(512, examples));
}
