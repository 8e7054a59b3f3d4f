import type { ProgressEvent } from '@sublace/protocol';
import type { Terminal } from '../terminal/terminal.ts';
import { phaseTable } from './describe.ts';

/**
 * Prints how a job that succeeded went.
 *
 * @param last  Its last event.
 * @param terminal  Where it is printed.
 */
export function reportOutcome({ jobId, state, phases, result }: ProgressEvent, terminal: Terminal): void {
  const digest = typeof result?.['digest'] === 'string' ? result['digest'] : undefined;
  terminal.result({ jobId, state, ...(digest !== undefined && { digest }), phases }, () => {
    return `job ${jobId} has ${state}${digest === undefined ? '' : `, digest ${digest}`}\n\n${phaseTable(phases)}`;
  });
}
