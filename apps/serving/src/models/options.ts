/** A posterior at a fixed place. */
export interface FixedModel {
  /** That requests use. */
  readonly name: string;
  /** Folder of the posterior, or `s3://BUCKET/PATH`. */
  readonly place: string;
  /** Folder of its model, instead of the posterior's copy. */
  readonly model?: string | undefined;
}

/** What to serve, and within which limits. */
export interface ModelsOptions {
  /** At fixed places; several of one name are its versions 1, 2, ..., the last of which is stable. */
  readonly models: readonly FixedModel[];
  /** URI of a registry (`openRegistry`), whose labels `stable` and `canary` are followed. Default: none. */
  readonly registry?: string | undefined;
  /** Names of the registry to serve. Default: every name that has a stable version. */
  readonly registryNames: readonly string[];
  /** File in which the last known labels of the registry are kept, for a start while it cannot be reached. Default: none. */
  readonly lastKnownFile?: string | undefined;
  /** Share of requests without a version that the canary answers where the registry gives none, 0 to 1. Default 0. */
  readonly canaryShare: number;
  /** What all loaded versions may take, bytes, two versions during a swap included. Default: no limit. */
  readonly memoryLimitBytes: number;
  /**
   * What happens when there is no room for a new version beside the one that it replaces: `availability-preserving` refuses the new one,
   * `resource-preserving` unloads the old one first, and answers UNAVAILABLE meanwhile. Default: the former.
   */
  readonly swap: 'availability-preserving' | 'resource-preserving';
  /** Keeps the version that was stable before loaded, as long as nothing else needs its memory: rolling back then loads nothing. Default: false. */
  readonly keepPrevious: boolean;
  /** Ready only when every model is; else as soon as none is being loaded for the first time and one is ready. Default: true. */
  readonly strictReadiness: boolean;
  /** Which way to the covariance of the outputs. Default: exact. */
  readonly covariance: 'exact' | 'truncated';
}

/** Defaults of every option. */
export const modelsDefaults: ModelsOptions = {
  models: [],
  registryNames: [],
  canaryShare: 0,
  memoryLimitBytes: Infinity,
  swap: 'availability-preserving',
  keepPrevious: false,
  strictReadiness: true,
  covariance: 'exact',
};
