import type { ModelRepository } from '../models/model-repository.ts';
import type { VersionState } from '../models/model-version.ts';
import type { ModelKey } from '../observe/observer.ts';

/** One version as the extension model_repository tells it. */
export interface RepositoryIndexEntry extends ModelKey {
  readonly state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
}

const states: Readonly<Record<VersionState, RepositoryIndexEntry['state']>> = {
  loading: 'LOADING',
  ready: 'READY',
  draining: 'UNLOADING',
  unloaded: 'UNAVAILABLE',
  failed: 'UNAVAILABLE',
};

/**
 * Every version of every model, in the protocol's words.
 *
 * @param repository  Models.
 * @param isReadyOnly  Whether to leave out what may not be asked now.
 * @returns  In the repository's order.
 */
export function repositoryIndex(repository: ModelRepository, isReadyOnly: boolean): RepositoryIndexEntry[] {
  const entries = repository.index().map(({ name, version, state, reason }) => ({ name, version, state: states[state], reason: state === 'ready' ? '' : reason || state }));
  return isReadyOnly ? entries.filter(({ state }) => state === 'READY') : entries;
}
