import { SublaceError } from '@sublace/errors';
import type { CoordinatorClient, ProgressEvent } from '@sublace/protocol';

/**
 * Where a job stands at this moment.
 *
 * @param client  Of the coordinator.
 * @param jobId  The job.
 * @returns  The event that a watch begins with.
 * @throws {SublaceError} NOT_FOUND for an unknown job.
 */
export async function standingOf(client: CoordinatorClient, jobId: string): Promise<ProgressEvent> {
  for await (const event of client.watchJob(jobId)) return event;
  throw new SublaceError('UNAVAILABLE', `job ${jobId}: expected its state from the coordinator, got none`);
}
