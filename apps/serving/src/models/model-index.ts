import type { ModelKey } from '../observe/observer.ts';
import type { ModelVersion, VersionState } from './model-version.ts';
import type { ModelDescription } from './model.ts';
import type { VersionedModel } from './versioned-model.ts';

/** One version as the repository index and the page show it. */
export interface IndexedVersion extends ModelKey {
  readonly state: VersionState;
  /** Why it has failed, or that somebody has unloaded it; else empty. */
  readonly reason: string;
  /** Labels that it answers for now. */
  readonly labels: readonly string[];
  /** Share of the requests without a version that it answers, 0 to 1. */
  readonly share: number;
  /** Requests that it has and has not answered yet. */
  readonly inFlight: number;
  /** What it takes in memory, bytes. */
  readonly memoryBytes: number;
  /** When it got into its state: ISO 8601. */
  readonly since: string;
  /** Undefined before it is loaded and after it has gone. */
  readonly description: ModelDescription | undefined;
}

/**
 * Every version of a model: those that are there, by their numbers, then the last that have gone.
 *
 * @param model  It.
 * @returns  A line for each.
 */
export function indexOf(model: VersionedModel): IndexedVersion[] {
  return model.versions.map((version) => ({
    name: version.name,
    version: version.version,
    state: version.state,
    reason: reasonOf(version, model),
    labels: [...model.labels].filter(([, each]) => each === version).map(([label]) => label),
    share: model.shareOf(version),
    inFlight: version.inFlight,
    memoryBytes: version.memoryBytes,
    since: new Date(version.sinceMs).toISOString(),
    description: version.description,
  }));
}

function reasonOf({ state, failure }: ModelVersion, model: VersionedModel): string {
  if (failure) return failure.message;
  return model.isUnloaded && (state === 'unloaded' || state === 'draining') ? 'unloaded on request' : '';
}
