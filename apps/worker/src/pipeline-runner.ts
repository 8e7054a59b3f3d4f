/** The task runner of real fits: the numerics of `@sublace/pipeline` on the tensor runtime. */
import { startBackend } from '@sublace/backend';
import { runFitTask as runTask } from '@sublace/pipeline';
import type { JsonObject } from '@sublace/scheduling';
import type { RunnerResult, RunnerTask } from './task-runner.ts';

/**
 * Starts the tensor runtime.
 *
 * @param options  Threads of the runtime.
 * @returns  Which runtime it is, for the worker's ready line.
 */
export async function start(options: { threads?: number }): Promise<JsonObject> {
  const { name, device, threads } = await startBackend(options);
  return { runtime: name, device, threads };
}

/**
 * Computes one task of a fit.
 *
 * @param task  Phase, shard, spec and inputs.
 * @param onProgress  Told now and then.
 * @returns  Summary and blocks.
 */
export async function runFitTask(task: RunnerTask, onProgress?: (done: number, total: number) => void): Promise<RunnerResult> {
  return await runTask(task as never, onProgress);
}
