/** What `GET sublace/v1/overview` answers (apps/serving/src/page/overview.ts). */
export interface Overview {
  readonly server: { readonly name: string; readonly version: string; readonly isReady: boolean };
  /** When it was made, by the server's clock; milliseconds since 1970. */
  readonly atMs: number;
  readonly models: readonly ModelOverview[];
}

/** Name and shape of a tensor; -1 stands for a size that the request decides. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** One version of one model. */
export interface ModelOverview {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  /** Why it is in that state; empty where that needs no saying. */
  readonly reason: string;
  /** Labels that it answers for. */
  readonly labels: readonly string[];
  /** Of the requests that name no version, 0..1. */
  readonly share: number;
  /** Requests that it has and has not answered yet. */
  readonly inFlight: number;
  readonly memoryBytes: number;
  /** Null until it is loaded. */
  readonly description: ModelDescription | null;
  /** Null where nothing is counted. */
  readonly statistics: ModelStatistics | null;
}

/** What a version says of itself. */
export interface ModelDescription {
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly properties: Readonly<Record<string, string>>;
  readonly card: PosteriorCard | { readonly kind?: undefined };
}

/** What happened in one second; durations in seconds, null when there was nothing to measure. */
export interface SecondStatistics {
  readonly atMs: number;
  readonly requests: number;
  readonly failed: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly meanBatchSize: number | null;
}

/** Counted since the server started. */
export interface ModelStatistics {
  readonly succeeded: number;
  readonly failed: number;
  readonly examples: number;
  readonly batches: number;
  /** Requests that wait for a batch now. */
  readonly pending: number;
  /** The last seconds in which something happened, oldest first. */
  readonly recent: readonly SecondStatistics[];
}

/** What a posterior says of itself (apps/serving/src/models/model-card.ts). */
export interface PosteriorCard {
  readonly kind: 'posterior';
  readonly digest: string;
  readonly modelDigest: string;
  readonly likelihood: 'classification' | 'binary' | 'regression' | 'heteroscedastic';
  readonly curvature: string;
  readonly subnetwork: {
    readonly rule: string;
    readonly size: number;
    readonly parameterCount: number;
    readonly deadSelectedCount: number;
    readonly diagonalMassShare: number;
    readonly layers: readonly CardLayer[];
  };
  readonly prior: {
    readonly precision: number;
    readonly mean: number | null;
    readonly method: string;
    readonly structure: string;
    readonly isAtBound: boolean;
    readonly curve: readonly { readonly precision: number; readonly loss: number }[];
  };
  /** In squared raw units, one for each output; null for classification. */
  readonly noiseVariance: readonly number[] | null;
  readonly temperature: number;
  readonly mapTemperature: number | null;
  readonly logLikelihood: number;
  readonly logMarginalLikelihood: number;
  readonly effectiveDimension: number;
  readonly effectiveDimensionError: number;
  readonly covariance: { readonly path: string; readonly rank: number; readonly errors: Readonly<Record<string, number>> };
  readonly links: readonly string[];
  readonly quality: {
    readonly exampleCount: number;
    readonly map: Readonly<Record<string, number>>;
    readonly sublace: Readonly<Record<string, number>>;
  } | null;
  readonly data: {
    readonly spec: string;
    readonly digest: string;
    readonly exampleCount: number;
    readonly validationCount: number;
    readonly inputMean: readonly number[];
    readonly inputStd: readonly number[];
    readonly targetMean: readonly number[];
    readonly targetStd: readonly number[];
  };
  readonly backend: { readonly name: string; readonly version: string; readonly device: string };
  readonly notes: readonly string[];
}

/** One weight tensor of the network. */
export interface CardLayer {
  readonly layer: string;
  readonly weight: string;
  readonly selected: number;
  readonly total: number;
  readonly dead: number;
  readonly diagonalMassShare: number;
}

/**
 * The card of a version, where it has one.
 *
 * @param model  The version.
 * @returns  Null for a model that is not a posterior, or not loaded.
 */
export function cardOf(model: ModelOverview): PosteriorCard | null {
  const card = model.description?.card;
  return card?.kind === 'posterior' ? card : null;
}

/**
 * A text that names one version among all.
 *
 * @param model  The version.
 * @param model.name  Of the model.
 * @param model.version  Its version.
 * @returns  `name/version`.
 */
export function keyOf({ name, version }: { name: string; version: string }): string {
  return `${name}/${version}`;
}
