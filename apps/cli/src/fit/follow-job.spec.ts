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
  waitsFor: '',
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

  it('takes the watch up again when the coordinator is back, and sees the end', async () => {
    let watches = 0;
    async function* watchJob(): AsyncGenerator<ProgressEvent> {
      if (++watches === 2) throw new SublaceError('UNAVAILABLE', 'no connection');
      yield await Promise.resolve(EVENT);
      if (watches === 1) throw new SublaceError('CANCELLED', 'the coordinator ends');
      yield { ...EVENT, state: 'succeeded' };
    }
    const details: string[] = [];
    const progress = { update: (_done: number, _total: number, detail = '') => details.push(detail), end: () => undefined };
    const terminal: Terminal = { json: false, result: () => undefined, note: () => undefined, progress: () => progress };
    const seen: string[] = [];
    const onEvent = ({ state }: ProgressEvent): number => seen.push(state);
    const last = await followJob({ watchJob } as unknown as CoordinatorClient, 'job', terminal, { onEvent });
    expect([last.state, watches, seen]).toEqual(['succeeded', 3, ['running', 'running', 'succeeded']]);
    expect(details).toContain('the coordinator is out of reach; waiting for it');
  });

  it('does not wait for a coordinator that was never there', async () => {
    async function* watchJob(): AsyncGenerator<ProgressEvent> {
      throw await Promise.resolve(new SublaceError('UNAVAILABLE', 'no connection'));
    }
    const terminal = { progress: () => ({ update: () => undefined, end: () => undefined }) } as unknown as Terminal;
    const follow = followJob({ watchJob } as unknown as CoordinatorClient, 'job', terminal);
    await expect(follow).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
