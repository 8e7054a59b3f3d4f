import { SublaceError } from '@sublace/errors';
import type { CoordinatorClient, ProgressEvent } from '@sublace/protocol';
import { describe, expect, it } from 'vitest';
import type { Terminal } from '../terminal/terminal.ts';
import { followJob } from './follow-job.ts';

const EVENT = {
  jobId: 'job',
  state: 'running',
  phase: 'score',
  shardsDone: 1,
  shardsTotal: 4,
  examplesDone: 10,
  examplesTotal: 40,
  workerCount: 2,
  phases: [],
} as unknown as ProgressEvent;

describe('followJob', () => {
  it('ends its bar when the coordinator is lost, since a bar that runs keeps the process alive', async () => {
    async function* watchJob(): AsyncGenerator<ProgressEvent> {
      yield await Promise.resolve(EVENT);
      throw new SublaceError('UNAVAILABLE', 'connection lost');
    }
    const calls: string[] = [];
    const terminal: Terminal = {
      json: false,
      result: () => undefined,
      note: () => undefined,
      progress: (label) => ({ update: (done, total) => calls.push(`${label} ${done}/${total}`), end: () => calls.push(`end ${label}`) }),
    };
    const client = { watchJob } as unknown as CoordinatorClient;
    await expect(followJob(client, 'job', terminal, { reconnectMs: 0 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(calls).toEqual(['score 10/40', 'end score']);
  });
});
