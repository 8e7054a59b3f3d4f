import type { ModelRepository } from '../model-repository.ts';

/** Something that says what is to be served, and says it again whenever that changes. */
export interface ModelSource {
  /** Begins to tell a repository; called once. Nothing is ready before it has told what it knows to be wanted. */
  start(repository: ModelRepository): void;
  /** Ends. What is served stays served. */
  stop(): Promise<void>;
}
