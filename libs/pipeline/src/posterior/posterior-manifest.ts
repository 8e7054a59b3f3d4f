import type { ArtifactManifest } from '@sublace/artifact-store';
import type { Normalisation } from '@sublace/data';
import type { PriorPoint } from '@sublace/posterior';
import type { QualityReport } from '@sublace/subnetwork';

/** Kind of artifact that a fit publishes. */
export const POSTERIOR_KIND = 'posterior';

/** What the manifest of a posterior says of it. */
export interface PosteriorFacts {
  readonly model: {
    readonly digest: string;
    readonly parameterCount: number;
    readonly outputCount: number;
    readonly inputShape: readonly number[];
  };
  readonly data: { readonly spec: string; readonly digest: string; readonly exampleCount: number };
  readonly validation: { readonly exampleCount: number };
  readonly likelihood: 'classification' | 'regression';
  readonly normalisation: Normalisation;
  readonly priorPrecision: number;
  readonly prior: { readonly method: string; readonly isAtBound?: boolean; readonly curve?: readonly PriorPoint[] };
  /** Regression, in squared normalised units; null for classification. */
  readonly noiseVariance: number | null;
  readonly temperature: number;
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
  readonly logLikelihood: number;
  readonly logMarginalLikelihood: number;
  /** Temperature that minimises the MAP's validation NLL; null for regression or without validation data. */
  readonly mapTemperature: number | null;
  readonly shards: readonly { readonly start: number; readonly count: number }[];
  readonly backend: { readonly name: string; readonly version: string; readonly device: string; readonly threads: number };
}

/** What `manifest.json` of a posterior holds. */
export type PosteriorManifest = ArtifactManifest &
  PosteriorFacts & {
    /** sha256 over everything that determines predictions: equal digests mean equal posteriors, bit for bit. */
    readonly digest: string;
  };
