import { describe, expect, it } from 'vitest';
import { fromLogMessage, fromWorkerMessage, toLogMessage, toWorkerMessage, type LogLine, type WorkerOverview } from './operations.ts';
import { services } from './definitions.ts';

/** There and back through the bytes of the wire. */
function sent<Message>(method: 'ReadLog' | 'ListWorkers', message: unknown): Message {
  const { responseSerialize, responseDeserialize } = services.Coordinator.service[method];
  return responseDeserialize(responseSerialize(message as never)) as Message;
}

describe('a line of a log', () => {
  const job: LogLine = { sequence: 1, atMs: 1.5, level: 'info', message: 'job is running', state: 'running' };
  const shard: LogLine = { ...job, level: 'warn', phase: 'score', shard: 0, attempt: 0, leaseToken: 2 ** 40, workerId: 'w', traceId: 'a' };
  it.each([job, { ...job, phase: 'score' as const }, shard])('is what was sent: %j', (line) => {
    expect(fromLogMessage(sent('ReadLog', toLogMessage(line)))).toEqual(line);
  });
});

describe('an attached process', () => {
  const held = { lease: { jobId: 'a', phase: 'score' as const, shard: 1, leaseToken: 2 }, attempt: 1, leasedAtMs: 3, renewedAtMs: 4 };
  const worker: WorkerOverview = {
    workerId: 'w',
    role: 'worker',
    peer: 'p',
    attachedAtMs: 5,
    shards: [held, { ...held, transferTo: 'coordinator' }],
  };
  const reducer: WorkerOverview = { ...worker, role: 'reducer', shards: [], slot: 0, heldBytes: 2 ** 40 };
  it.each([worker, reducer])('is what was sent: %j', (process) => {
    const { workers } = sent<{ workers: never[] }>('ListWorkers', { workers: [toWorkerMessage(process)] });
    expect(fromWorkerMessage(workers[0])).toEqual(process);
  });
});
