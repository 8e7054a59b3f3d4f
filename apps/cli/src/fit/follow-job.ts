import { SublaceError } from '@sublace/errors';
import type { CoordinatorClient, ProgressEvent } from '@sublace/protocol';
import type { Progress } from '../terminal/progress.ts';
import type { Terminal } from '../terminal/terminal.ts';

function standing(event: ProgressEvent): [done: number, total: number] {
  return event.examplesTotal > 0 ? [event.examplesDone, event.examplesTotal] : [event.shardsDone, Math.max(1, event.shardsTotal)];
}

/**
 * Follows a job to its end, one progress bar per phase.
 *
 * @param client  Of the coordinator.
 * @param jobId  The job.
 * @param terminal  Where progress is shown.
 * @returns  The last event, of a job that succeeded.
 * @throws {SublaceError} with the job's own code and message when it failed or was cancelled.
 */
export async function followJob(client: CoordinatorClient, jobId: string, terminal: Terminal): Promise<ProgressEvent> {
  let phase = '';
  let bar: Progress | undefined;
  let last: ProgressEvent | undefined;
  const finish = (): void => {
    const report = last?.phases.find((each) => each.phase === phase);
    bar?.end(report && `${report.seconds.toFixed(1)} s, ${report.shardCount} task${report.shardCount === 1 ? '' : 's'}`);
    bar = undefined;
  };
  try {
    for await (const event of client.watchJob(jobId)) {
      if (event.phase !== phase) {
        last = event;
        finish();
        phase = event.phase;
        bar = terminal.progress(phase);
      }
      last = event;
      const [done, total] = standing(event);
      const workers = `${event.workerCount} worker${event.workerCount === 1 ? '' : 's'}`;
      bar?.update(done, total, `${event.shardsDone}/${event.shardsTotal} tasks, ${workers}`);
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
