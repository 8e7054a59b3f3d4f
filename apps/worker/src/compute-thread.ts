/** The thread that computes. Tensor operations block it for seconds; leases are renewed from the main thread meanwhile. */
import { parentPort, workerData } from 'node:worker_threads';
import { isErrorCode, SublaceError } from '@sublace/errors';
import { checkBlock, type Block } from '@sublace/partials';
import type { ComputeThreadData, RunMessage, RunnerResult, TaskRunner, ThreadError, ThreadMessage } from './task-runner.ts';

/** Progress is told at most this often. */
const PROGRESS_INTERVAL_MS = 200;

const { runner: runnerUrl, threads } = workerData as ComputeThreadData;

main().catch((error: unknown) => tell({ type: 'notReady', error: errorOf(error) }));

async function main(): Promise<void> {
  const runner = (await import(runnerUrl)) as TaskRunner;
  const info = (await runner.start?.(threads === undefined ? {} : { threads })) ?? {};
  parentPort?.on('message', (message: RunMessage) => void run(runner, message));
  tell({ type: 'ready', info, pullsTiles: runner.pullsTiles ?? false });
}

async function run(runner: TaskRunner, { id, task }: RunMessage): Promise<void> {
  let toldMs = 0;
  const onProgress = (done: number, total: number): void => {
    if (Date.now() - toldMs < PROGRESS_INTERVAL_MS) return;
    toldMs = Date.now();
    tell({ type: 'progress', id, done, total });
  };
  try {
    handOver(id, await runner.runFitTask(task, onProgress));
  } catch (error) {
    tell({ type: 'failed', id, error: errorOf(error) });
  }
}

/** Moves the blocks to the main thread without a copy, save where one shares its memory with something else. */
function handOver(id: number, { summary, blocks }: RunnerResult): void {
  const buffers = new Set<ArrayBuffer>();
  const owned = blocks.map((block): Block => {
    const { data } = checkBlock(block);
    const isAlone = data.byteLength === data.buffer.byteLength && data.buffer instanceof ArrayBuffer && !buffers.has(data.buffer);
    const own = isAlone ? data : data.slice();
    buffers.add(own.buffer as ArrayBuffer);
    return { name: block.name, shape: [...block.shape], data: own };
  });
  tell({ type: 'done', id, result: { summary, blocks: owned } }, [...buffers]);
}

function tell(message: ThreadMessage, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

/** By its code and not by its class: a bundled runner brings a class SublaceError of its own. */
function errorOf(thrown: unknown): ThreadError {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && isErrorCode(thrown.code)) {
    return { code: thrown.code, message: thrown.message };
  }
  const { code, message } = SublaceError.from(thrown);
  return { code, message };
}
