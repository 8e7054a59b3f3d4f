import { setTimeout as sleep } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import type { CoordinatorClient, ProgressEvent } from '@sublace/protocol';
import type { Progress } from '../terminal/progress.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** How long a coordinator that was there may be out of reach: it may be starting again. */
const RECONNECT_MS = 60_000;

const RECONNECT_PAUSE_MS = 500;

function standing(event: ProgressEvent): [done: number, total: number] {
  return event.examplesTotal > 0 ? [event.examplesDone, event.examplesTotal] : [event.shardsDone, Math.max(1, event.shardsTotal)];
}

function detailOf({ shardsDone, shardsTotal, workerCount, waitsFor }: ProgressEvent): string {
  const tasks = `${shardsDone}/${shardsTotal} tasks, ${workerCount} worker${workerCount === 1 ? '' : 's'}`;
  return waitsFor === '' ? tasks : `${tasks}; waits for ${waitsFor}`;
}

/**
 * Follows a job to its end, one progress bar per phase. A coordinator that goes away meanwhile is waited for.
 *
 * @param client  Of the coordinator.
 * @param jobId  The job.
 * @param terminal  Where progress is shown.
 * @param options  How to follow.
 * @param options.reconnectMs  How long the coordinator may be away; a minute when left out.
 * @param options.onEvent  Sees every event.
 * @returns  The last event, of a job that succeeded.
 * @throws {SublaceError} with the job's own code and message when it failed or was cancelled.
 */
export async function followJob(
  client: CoordinatorClient,
  jobId: string,
  terminal: Terminal,
  { reconnectMs = RECONNECT_MS, onEvent }: { reconnectMs?: number; onEvent?: (event: ProgressEvent) => void } = {},
): Promise<ProgressEvent> {
  let phase = '';
  let bar: Progress | undefined;
  let last: ProgressEvent | undefined;
  const finish = (): void => {
    const report = last?.phases.find((each) => each.phase === phase);
    bar?.end(report && `${report.seconds.toFixed(1)} s, ${report.shardCount} task${report.shardCount === 1 ? '' : 's'}`);
    bar = undefined;
  };
  const onAway = (): void => {
    const [done, total] = last ? standing(last) : [0, 1];
    bar?.update(done, total, 'the coordinator is out of reach; waiting for it');
  };
  try {
    for await (const event of eventsOf(client, jobId, reconnectMs, onAway)) {
      onEvent?.(event);
      if (event.phase !== phase) {
        last = event;
        finish();
        phase = event.phase;
        bar = terminal.progress(phase);
      }
      last = event;
      bar?.update(...standing(event), detailOf(event));
    }
    finish();
  } finally {
    // A bar that is not ended keeps the process alive.
    bar?.end();
  }
  if (!last) throw new SublaceError('UNAVAILABLE', `job ${jobId}: expected progress from the coordinator, got none`);
  if (last.state === 'succeeded') return last;
  const { failure } = last;
  throw new SublaceError(failure?.code ?? 'INTERNAL', failure?.message ?? `job ${jobId}: expected it to end, got state ${last.state}`);
}

/** Events of a job; the watch is taken up again when the connection broke after it had been there. */
async function* eventsOf(client: CoordinatorClient, jobId: string, reconnectMs: number, onAway: () => void): AsyncGenerator<ProgressEvent> {
  let seenMs: number | undefined;
  for (;;) {
    try {
      for await (const event of client.watchJob(jobId)) {
        seenMs = performance.now();
        yield event;
      }
      return;
    } catch (thrown) {
      // A coordinator that ends in good order cancels the calls it has.
      const { code } = SublaceError.from(thrown);
      const mayComeBack = code === 'UNAVAILABLE' || code === 'CANCELLED';
      if (!mayComeBack || seenMs === undefined || performance.now() - seenMs > reconnectMs) throw thrown;
      onAway();
      await sleep(RECONNECT_PAUSE_MS);
    }
  }
}
