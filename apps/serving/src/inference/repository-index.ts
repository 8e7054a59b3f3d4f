import type { IndexedVersion } from '../models/model-index.ts';
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

/** Of a version that was loaded several times, what tells most comes last. */
const ranks: readonly VersionState[] = ['unloaded', 'failed', 'draining', 'loading', 'ready'];

/**
 * Every version of every model, in the protocol's words, each once: of a version that has gone and come back, what it is now.
 *
 * @param repository  Models.
 * @param isReadyOnly  Whether to leave out what may not be asked now.
 * @returns  In the repository's order.
 */
export function repositoryIndex(repository: Pick<ModelRepository, 'index'>, isReadyOnly: boolean): RepositoryIndexEntry[] {
  const latest = new Map<string, IndexedVersion>();
  for (const entry of repository.index()) {
    const key = JSON.stringify([entry.name, entry.version]);
    const known = latest.get(key);
    if (!known || ranks.indexOf(entry.state) >= ranks.indexOf(known.state)) latest.set(key, entry);
  }
  const entries = [...latest.values()].map(({ name, version, state, reason }) => {
    return { name, version, state: states[state], reason: state === 'ready' ? '' : reason || state };
  });
  return isReadyOnly ? entries.filter(({ state }) => state === 'READY') : entries;
}
