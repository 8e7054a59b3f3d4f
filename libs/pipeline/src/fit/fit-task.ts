import type { RowCut } from '@sublace/curvature';
import type { LikelihoodKind } from '@sublace/likelihoods';
import type { Block } from '@sublace/partials';
import type { Security } from '@sublace/protocol';
import type { JsonObject, LeaseRef, Phase } from '@sublace/scheduling';
import type { QualityReport } from '@sublace/subnetwork';
import type { NoiseVariance } from '../families/noise-variance.ts';
import type { FitSpec } from './fit-spec.ts';

/** What the plan task decides for every later task of the job. JSON. */
export interface FitPlan {
  readonly shards: readonly { readonly start: number; readonly count: number }[];
  /** N. */
  readonly exampleCount: number;
  readonly validationCount: number;
  /** C. */
  readonly outputCount: number;
  /** P. */
  readonly parameterCount: number;
  readonly likelihood: LikelihoodKind;
  readonly noiseVariance: NoiseVariance;
  readonly modelDigest: string;
  readonly dataDigest: string;
  /** Of the posterior that is continued. */
  readonly previousDigest?: string;
  /** Examples that it has seen: the data of this fit stand after them, so that drawn rows are those of a fit of all. */
  readonly previousCount?: number;
}

/** What the select task decides. JSON. */
export interface FitSelection {
  /** S. */
  readonly size: number;
  /** Largest element of the GGN diagonal over the subnetwork; it bounds every element. */
  readonly maxDiagonal: number;
  readonly indicesDigest: string;
  /** Of the training data at the MAP, nats. */
  readonly logLikelihood: number;
  readonly report: QualityReport;
  /** Which rows of the GGN are computed; absent where all are. */
  readonly rows?: RowCut;
  /** Smaller subnetworks inside this one that are fitted along with it, ascending; for rules such as `random:500,1000`. */
  readonly smaller: readonly { readonly size: number; readonly indicesDigest: string; readonly report: QualityReport }[];
  /** For `swag-variance`: sha256 of the variances. */
  readonly swagDigest?: string;
}

/** A leased piece of a fit. */
export interface FitTask {
  readonly jobId: string;
  readonly spec: FitSpec;
  readonly phase: Phase;
  readonly shard: number;
  readonly plan?: FitPlan;
  readonly selection?: FitSelection;
  /** `finalise` lets go of the memory of `ggn/*`, of which there may be gigabytes. */
  readonly inputs: readonly Block[];
  /** For `finalise`: the folder to write the artifact into. */
  readonly staging?: string;
  /** For `finalise`, where reducers have the tiles: no `ggn/*` is among the inputs then. */
  readonly reducers?: ReducerAccess;
}

/** The processes that hold the summed GGN of a fit. */
export interface ReducerAccess {
  /** HOST:PORT by slot: `ownerOfTile` tells who has what. */
  readonly addresses: readonly string[];
  /** Whoever holds this lease may have the tiles. */
  readonly lease: LeaseRef;
  readonly security: Security;
}

/** What a task gives back. */
export interface FitTaskResult {
  readonly summary: JsonObject;
  readonly blocks: Block[];
}

/** Told how many of how many examples a task has done. */
export type OnProgress = (done: number, total: number) => void;
