import type * as tf from '@tensorflow/tfjs';

/** What an architecture is built for. */
export interface ArchitectureOptions {
  /** Shape of one example without the batch axis, channels last, for example [28, 28, 1] or [11]. */
  readonly inputShape: readonly number[];
  /** Number of classes, or width of a regression target. */
  readonly outputCount: number;
  /** Seed of the initial weights. */
  readonly seed: number;
}

/** Builds one architecture; `argument` is what follows the colon of its name, or undefined. */
export type ArchitectureBuilder = (options: ArchitectureOptions, argument: string | undefined) => tf.LayersModel;
