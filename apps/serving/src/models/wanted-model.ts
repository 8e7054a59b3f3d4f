import type { LoadedModel } from './model.ts';

/** A version to have loaded, and how to get it. What a version is never changes: something else is another version. */
export interface WantedVersion {
  /** Its number; of a registry, the registered one. */
  readonly version: string;
  /**
   * Opens it, verified.
   *
   * @throws SublaceError NOT_FOUND, DATA_INVALID, DIGEST_MISMATCH for an artifact that is broken; UNAVAILABLE for one that cannot be had now.
   */
  load(): Promise<LoadedModel>;
  /** What it will keep in memory, told before it is loaded; 0 when absent. */
  estimateBytes?(): Promise<number>;
  /** Another text once `load` would find something else: a version that failed for good is then tried again. */
  fingerprint?(): Promise<string>;
}

/** The label whose version answers requests that name none. */
export const STABLE = 'stable';
/** The label whose version answers a share of them. */
export const CANARY = 'canary';

/** What a source wants to be served under one name. */
export interface WantedModel {
  readonly name: string;
  readonly versions: readonly WantedVersion[];
  /** Version that each label stands for; without `stable` the model is not ready. */
  readonly labels: Readonly<Record<string, string>>;
  /** Share of the requests without a version that the canary answers, 0 to 1. Default 0. */
  readonly canaryShare?: number | undefined;
  /** Another version by its number, for those who ask to load it. */
  find?(version: string): Promise<WantedVersion>;
}
