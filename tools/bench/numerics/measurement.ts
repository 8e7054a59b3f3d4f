/** What a machine does at the best: measured in the same process, right before and after. */
export interface Floors {
  /** float32 matrix product by TensorFlow, flop/s. */
  readonly float32: number;
  /** float64 matrix product by TensorFlow, flop/s. */
  readonly float64: number;
  /** Bytes copied from one place in memory to another, per second. */
  readonly copy: number;
}

/** Work that cannot be avoided, in units of {@link Floors}; what stands beside each other is done one after the other. */
export interface FloorWork {
  readonly float32Flops?: number;
  readonly float64Flops?: number;
  readonly copiedBytes?: number;
  /** Something else that was timed. */
  readonly seconds?: number;
}

/** Something that was timed. */
export interface Measurement {
  /** Network, data and sizes. */
  readonly problem: string;
  readonly quantity: string;
  /** Of each repetition. */
  readonly seconds: readonly number[];
  /** Done in one repetition; the figure is then a rate. Without it the figure is the time itself. */
  readonly work?: { readonly amount: number; readonly unit: 'examples' | 'GFLOP' };
  /** For the reader: what the floor is. */
  readonly floorName?: string;
  readonly floor?: FloorWork;
  /** What else there is to know, in print. */
  readonly facts?: readonly string[];
  /** What others need, as quoted text. */
  readonly peers?: string;
}

/** What one process of a case has to say at its end. */
export interface ProcessReport {
  readonly measurements: readonly Measurement[];
  /** Reasons why a check did not pass. */
  readonly failures: readonly string[];
  readonly floors: Floors;
  /** Largest resident memory: when the runtime had started, and in all. */
  readonly startBytes: number;
  readonly peakBytes: number;
  readonly runtime: string;
}
