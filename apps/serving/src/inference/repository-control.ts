import type { ModelRepository } from '../models/model-repository.ts';
import type { VersionState } from '../models/model-version.ts';
import type { ModelKey } from '../observe/observer.ts';

/** One version as the repository's index tells it. */
export interface IndexEntry extends ModelKey {
  readonly state: 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
}

/** What the extension model_repository can ask for. */
export interface RepositoryControl {
  /** Every version there is. */
  index(): readonly IndexEntry[];
  /** Loads a model, or its newest version in place of the one that answers; resolves once it is ready. */
  load(name: string): Promise<void>;
  /** Takes a model out of service; resolves once it is released. */
  unload(name: string): Promise<void>;
}

const stateOf: Record<VersionState, IndexEntry['state']> = {
  loading: 'LOADING',
  ready: 'READY',
  draining: 'UNLOADING',
  unloaded: 'UNAVAILABLE',
  failed: 'UNAVAILABLE',
};

/**
 * The repository as the protocol's calls see it.
 *
 * @param repository  It.
 * @returns  Its control.
 */
export function controlOf(repository: ModelRepository): RepositoryControl {
  return {
    index: () =>
      repository.index().map(({ name, version, state, reason }) => {
        return { name, version, state: stateOf[state], reason: state === 'ready' ? '' : reason || state };
      }),
    load: (name) => repository.load(name),
    unload: (name) => repository.unload(name),
  };
}
