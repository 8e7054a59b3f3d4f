import type { ArtifactManifest } from '@sublace/artifact-store';
import type { RowCut } from '@sublace/curvature';
import type { Normalisation } from '@sublace/data';
import type { LikelihoodKind } from '@sublace/likelihoods';
import type { PriorPoint } from '@sublace/posterior';
import type { QualityReport } from '@sublace/subnetwork';
import type { NoiseVariance } from '../families/noise-variance.ts';
import type { DataRecord } from './data-record.ts';
import type { TruncationFacts } from '../truncate/truncation-facts.ts';
import type { ValidationScores } from '../fit/validation-scores.ts';
import type { PriorStructure, TensorPrior } from '../fit/prior-groups.ts';

/** Kind of artifact that a fit publishes. */
export const POSTERIOR_KIND = 'posterior';

/** What the manifest says of the prior. */
export interface PriorFacts {
  /** `given`, or how it was tuned. */
  readonly method: string;
  readonly structure: PriorStructure;
  /** One for all weights; null where they differ, as read from a file. */
  readonly mean: number | null;
  /** By weight tensor, where they differ; with one prior per weight the geometric mean. */
  readonly tensors?: readonly TensorPrior[];
  /** Of the search. */
  readonly bounds?: readonly [number, number];
  /** Whether the search ended at one of them, so that a wider one may be better. */
  readonly isAtBound?: boolean;
  /** Loss along the scale of the prior, ascending: mean validation NLL, or minus the log evidence, nats. */
  readonly curve?: readonly PriorPoint[];
  /** Log evidence by round of the climb over weight tensors or weights. */
  readonly ascent?: readonly number[];
}

/** What the manifest of a posterior says of it. */
export interface PosteriorFacts {
  readonly model: {
    readonly digest: string;
    readonly parameterCount: number;
    readonly outputCount: number;
    readonly inputShape: readonly number[];
    /** What the user should be told once, for example of layers that are slow. */
    readonly notes?: readonly string[];
  };
  readonly data: DataRecord;
  readonly validation: { readonly exampleCount: number; readonly scores?: ValidationScores };
  readonly likelihood: LikelihoodKind;
  readonly normalisation: Normalisation;
  /** Of all weights, or the geometric mean where they differ. */
  readonly priorPrecision: number;
  readonly prior: PriorFacts;
  readonly noiseVariance: NoiseVariance;
  readonly temperature: number;
  /** Rows of the GGN that were computed, and the share of the output Hessians' trace that was left out; absent where all were. */
  readonly rows?: RowCut;
  /** `ggn`, `mc-fisher:K` or `empirical-fisher`. */
  readonly curvature: string;
  readonly subnetwork: {
    readonly rule: string;
    readonly size: number;
    readonly seed: number;
    readonly indicesDigest: string;
    /** For `swag-variance`: sha256 of the variances that ranked the weights. */
    readonly swagDigest?: string;
    readonly report: QualityReport;
  };
  /** tr(H (H + prior)^-1): directions of the subnetwork that the data determine. */
  readonly effectiveDimension: number;
  /** Its standard error: 0 where it was computed exactly, that is, for small S. */
  readonly effectiveDimensionError: number;
  readonly logLikelihood: number;
  readonly logMarginalLikelihood: number;
  /** Temperature that minimises the MAP's validation NLL; null where outputs are no logits, or without validation data. */
  readonly mapTemperature: number | null;
  readonly shards: readonly { readonly start: number; readonly count: number }[];
  /** Of the eigenbasis, where the artifact has one. */
  readonly truncation?: TruncationFacts;
  readonly backend: { readonly name: string; readonly version: string; readonly device: string; readonly threads: number };
}

/** What `manifest.json` of a posterior holds. */
export type PosteriorManifest = ArtifactManifest &
  PosteriorFacts & {
    /** sha256 over everything that determines predictions: equal digests mean equal posteriors, bit for bit. */
    readonly digest: string;
  };
