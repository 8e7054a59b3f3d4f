/** A model on disk, and data for it. */
export interface Problem {
  /** Network and data, in print. */
  readonly title: string;
  /** Folder of the model. */
  readonly model: string;
  /** Data SPEC of the first examples. */
  readonly data: (count: number) => string;
  /** Makes the model, and data that are not there otherwise; for the first time only. */
  readonly prepare: () => void;
}
