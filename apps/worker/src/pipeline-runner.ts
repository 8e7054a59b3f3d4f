/** The task runner of real fits: the numerics of `@sublace/pipeline` on the tensor runtime. */
import { startBackend } from '@sublace/backend';
import { runFitTask as runTask } from '@sublace/pipeline';
import type { Security } from '@sublace/protocol';
import type { JsonObject } from '@sublace/scheduling';
import type { RunnerResult, RunnerTask } from './task-runner.ts';

/** The finalise task takes them one by one, straight to their file. */
export const pullsTiles = true;

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
  const { reducers, ...rest } = task;
  const access = reducers && { reducers: { ...reducers, security: afterThread(reducers.security) } };
  return await runTask({ ...rest, ...access } as never, onProgress);
}

/** Certificates lose their class on the way between threads. */
function afterThread({ tls, ...rest }: Security): Security {
  if (!tls) return rest;
  const { ca, cert, key } = tls;
  return { ...rest, tls: { ...tls, ca: Buffer.from(ca), ...(cert && { cert: Buffer.from(cert) }), ...(key && { key: Buffer.from(key) }) } };
}
