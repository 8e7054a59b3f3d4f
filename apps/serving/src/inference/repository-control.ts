import { SublaceError } from '@sublace/errors';
import type { ModelRepository } from '../models/model-repository.ts';
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

/**
 * Control of a repository whose models are those of the start.
 *
 * @param repository  It.
 * @returns  An index; loading and unloading are refused.
 */
export function fixedControl(repository: ModelRepository): RepositoryControl {
  const refuse = (name: string): Promise<never> => {
    const message = `model '${name}': expected a server with a repository, got one whose models are fixed at the start`;
    return Promise.reject(new SublaceError('INVALID_ARGUMENT', message));
  };
  const entryOf = (name: string, version: string): IndexEntry => {
    const isReady = repository.isModelReady(name, version);
    return { name, version, state: isReady ? 'READY' : 'LOADING', reason: isReady ? '' : 'warming up or draining' };
  };
  return {
    index: () => repository.names.flatMap((name) => repository.versionsOf(name).map((version) => entryOf(name, version))),
    load: refuse,
    unload: refuse,
  };
}
