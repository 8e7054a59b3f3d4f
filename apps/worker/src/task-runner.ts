import type { Block } from '@sublace/partials';
import type { Security } from '@sublace/protocol';
import type { JsonObject, LeaseRef, Phase } from '@sublace/scheduling';

/** One shard of one phase, with everything that is needed to compute it. */
export interface RunnerTask {
  jobId: string;
  spec: JsonObject;
  phase: Phase;
  shard: number;
  plan?: JsonObject;
  selection?: JsonObject;
  inputs: Block[];
  staging?: string;
  /** Phase finalise, where reducers have the tiles: the runner pulls them itself. */
  reducers?: { addresses: string[]; lease: LeaseRef; security: Security };
}

/** What a task gives: a small summary, and blocks. */
export interface RunnerResult {
  summary: JsonObject;
  blocks: Block[];
}

/** A module that computes tasks. It is loaded in the compute thread, once per process. */
export interface TaskRunner {
  /** Whether it pulls the tiles that reducers have, by `reducers` of its task; otherwise they are among its inputs. */
  pullsTiles?: boolean;
  /** Called once before the first task; what it returns appears in the worker's ready line. */
  start?(options: { threads?: number }): Promise<JsonObject>;
  /** May block its thread for as long as it likes. Throws SublaceErrors; those that no retry can mend end the job. */
  runFitTask(task: RunnerTask, onProgress?: (done: number, total: number) => void): Promise<RunnerResult>;
}

/** From the main thread to the compute thread. */
export interface RunMessage {
  id: number;
  task: RunnerTask;
}

/** How the main thread starts the compute thread. */
export interface ComputeThreadData {
  runner: string;
  threads?: number;
}

/** An error that crossed a thread. */
export interface ThreadError {
  code: string;
  message: string;
}

/** From the compute thread to the main thread. */
export type ThreadMessage =
  | { type: 'ready'; info: JsonObject; pullsTiles: boolean }
  | { type: 'notReady'; error: ThreadError }
  | { type: 'progress'; id: number; done: number; total: number }
  | { type: 'done'; id: number; result: RunnerResult }
  | { type: 'failed'; id: number; error: ThreadError };
