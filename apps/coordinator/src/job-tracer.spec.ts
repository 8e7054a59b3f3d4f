import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isTracing, jobTraceIds, startTracing } from '@sublace/telemetry';
import type { Change, Lease, Phase } from '@sublace/scheduling';
import { expect, it } from 'vitest';
import { JobTracer } from './job-tracer.ts';

interface OtlpSpan {
  spanId: string;
  parentSpanId?: string;
  name: string;
  status: { message?: string };
}

const jobId = 'job-a';
const lease = (phase: Phase, leaseToken: number): Lease => {
  return { jobId, phase, shard: 0, leaseToken, workerId: 'w', attempt: 1, leaseExpiresAtMs: 0 };
};
const started = (phase: Phase): Change => ({ type: 'phaseStarted', jobId, phase, shardCount: 1 });
const done = (phase: Phase, leaseToken: number): Change => {
  return { type: 'shardChanged', jobId, phase, shard: 0, state: 'done', attempt: 1, leaseToken };
};

it('does nothing where tracing is off', async () => {
  const tracer = new JobTracer();
  tracer.begin(jobId, 0);
  tracer.apply(started('plan'));
  expect([isTracing(), tracer.lease(lease('plan', 1), 0)]).toEqual([false, '']);
  expect(await tracer.within(jobId, 'publish', async () => 7)).toBe(7);
});

it('puts leases below their phase, also when one is given before the news of its phase has come', async () => {
  const spans: OtlpSpan[] = [];
  const receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => (text += String(part)));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const tracing = await startTracing('coordinator');
  const tracer = new JobTracer();
  tracer.begin(jobId, Date.now());
  tracer.begin(jobId, Date.now());
  tracer.apply(started('plan'));
  const { traceId } = jobTraceIds(jobId);
  expect(tracer.lease(lease('plan', 1), 0)).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  tracer.lease(lease('score', 2), 0);
  tracer.apply(done('plan', 1));
  tracer.apply(started('score'));
  tracer.lease(lease('score', 3), 0);
  tracer.apply(done('score', 2));
  await tracer.within(jobId, 'publish', async () => undefined);
  tracer.apply({ type: 'jobChanged', jobId, state: 'failed', failure: { code: 'DATA_INVALID', message: 'row 17 is odd' } });
  await tracing.stop();
  receiver.close();
  const nameOf = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  const tree = spans.map(
    ({ name, parentSpanId = '', status }) => `${nameOf.get(parentSpanId) ?? '-'} > ${name}: ${status.message ?? 'ok'}`,
  );
  expect(tree.sort()).toEqual([
    '- > job: row 17 is odd',
    'job > phase plan: ok',
    'job > phase score: row 17 is odd',
    'phase plan > lease: ok',
    'phase score > lease: ok',
    'phase score > lease: the job is failed',
    'phase score > publish: ok',
  ]);
});
