import type { ErrorCode } from '@sublace/errors';
import type { JsonObject } from '@sublace/scheduling';
import type { ModelAnswer, ModelDescription, ModelRequest } from '../models/model.ts';
import type { LoaderOptions, ModelPlace } from './model-loader.ts';

/** How the main thread starts the compute thread. */
export interface ComputeThreadData {
  /** URL of the module whose default export is a `ModelLoader`. */
  loader: string;
  options: LoaderOptions;
}

/** An error that crossed a thread. */
export interface ThreadError {
  code: ErrorCode;
  message: string;
}

/** From the main thread; each is answered by one message with its id. */
export type Call =
  | { id: number; type: 'estimate'; place: ModelPlace }
  | { id: number; type: 'load'; place: ModelPlace }
  | { id: number; type: 'infer'; model: number; requests: readonly ModelRequest[] }
  | { id: number; type: 'dispose'; model: number };

/** From the compute thread. */
export type Reply =
  | { type: 'ready'; info: JsonObject }
  | { type: 'notReady'; error: ThreadError }
  | { id: number; type: 'estimated'; bytes: number }
  | { id: number; type: 'loaded'; model: number; description: ModelDescription }
  | { id: number; type: 'inferred'; answers: ModelAnswer[] }
  | { id: number; type: 'disposed' }
  | { id: number; type: 'failed'; error: ThreadError };
