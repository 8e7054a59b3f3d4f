import type { JsonObject } from '@sublace/scheduling';
import type { LoadedModel } from '../models/model.ts';

/** Where a model is, and how it is to be served. Crosses threads. */
export interface ModelPlace {
  /** Folder of the artifact, or its `s3://` URI. */
  readonly place: string;
  /** Folder of the model, instead of the artifact's copy. */
  readonly model?: string;
  /** sha256 that the artifact must have; any when absent. */
  readonly digest?: string;
  /** Which way to the covariance of the outputs. Default: exact. */
  readonly covariance?: 'exact' | 'truncated';
}

/** What a loader is told once. Crosses threads. */
export interface LoaderOptions {
  /** Threads of one operation of the tensor runtime. Default: what suits the models. */
  readonly threads?: number;
  /** Models that will be loaded first, as far as they are known. */
  readonly places?: readonly ModelPlace[];
  /** Most examples that are computed together, which models may be prepared for. Default: whatever comes. */
  readonly maxBatchSize?: number;
}

/** A module that loads models. It is loaded in the compute thread, once per process; `default` is what a module exports. */
export interface ModelLoader {
  /**
   * Called once, first.
   *
   * @param options  What holds for every model.
   * @returns  For the log: runtime, device.
   */
  start(options: LoaderOptions): Promise<JsonObject>;
  /**
   * What a model will keep in memory, told from its manifest.
   *
   * @param place  Where it is.
   * @returns  Bytes, meant as an upper estimate.
   * @throws SublaceError NOT_FOUND, DATA_INVALID.
   */
  estimateBytes?(place: ModelPlace): Promise<number>;
  /**
   * Opens a model, verified; answers of others are computed while it waits for files.
   *
   * @param place  Where it is.
   * @returns  The model.
   * @throws SublaceError NOT_FOUND, DATA_INVALID, DIGEST_MISMATCH.
   */
  load(place: ModelPlace): Promise<LoadedModel>;
}
