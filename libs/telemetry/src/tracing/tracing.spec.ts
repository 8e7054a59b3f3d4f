import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../logger.ts';
import { contextOf, failSpan, shardAttributes, startJobSpan, traced, traceparentOf } from './spans.ts';
import { isTracing, startTracing } from './start-tracing.ts';
import { jobTraceIds } from './trace-ids.ts';

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  status: { code?: number; message?: string };
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
  links?: { traceId: string }[];
}

const spans: OtlpSpan[] = [];
const services = new Set<string>();
const receiver = createServer((request, response) => {
  let text = '';
  request.on('data', (part) => (text += String(part)));
  request.on('end', () => {
    const { resourceSpans } = JSON.parse(text) as {
      resourceSpans: { resource: { attributes: OtlpSpan['attributes'] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
    };
    for (const { resource, scopeSpans } of resourceSpans) {
      services.add(resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '');
      spans.push(...scopeSpans.flatMap((scope) => scope.spans));
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});

beforeAll(() => new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve)));
afterAll(() => receiver.close());

describe('startTracing', () => {
  it('loads nothing and records nothing unless the environment says where to send spans', async () => {
    for (const env of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }])
      await startTracing('worker', env);
    expect(isTracing()).toBe(false);
    expect(traceparentOf(startJobSpan('job-1', 0))).toBe('');
    expect(await traced('nothing', {}, async (span) => span.isRecording())).toBe(false);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /expected http\/json, got 'grpc'/],
    [{ OTEL_TRACES_SAMPLER: 'sometimes' }, /OTEL_TRACES_SAMPLER: expected always_on.*got 'sometimes'/],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, /expected a number from 0 to 1, got '2'/],
  ])('refuses %j', async (env, message) => {
    const start = startTracing('worker', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', ...env });
    await expect(start).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string });
    expect(isTracing()).toBe(false);
  });

  it('sends spans of one job as one trace, whose ids follow from the job', async () => {
    // The exporter reads the process's environment itself.
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const tracing = await startTracing('worker');
    expect(isTracing()).toBe(true);
    const job = startJobSpan('job-1', Date.now());
    const { traceId, spanId } = jobTraceIds('job-1');
    expect(traceparentOf(job)).toBe(`00-${traceId}-${spanId}-01`);
    const lines: string[] = [];
    const logger = createLogger({ role: 'worker', destination: { write: (line) => lines.push(line) } });
    const attributes = shardAttributes({ jobId: 'job-1', phase: 'score', shard: 3, leaseToken: 7, attempt: 2 });
    const failing = traced(
      'outer',
      attributes,
      async () => {
        logger.info('inside');
        await traced('inner', {}, async () => undefined);
        throw new Error('it broke');
      },
      contextOf(traceparentOf(job)),
    );
    await expect(failing).rejects.toThrow('it broke');
    logger.info({ jobId: 'job-1' }, 'outside');
    failSpan(job, new Error('the job failed'));
    job.end();
    await tracing.stop();

    const [inner, outer, root] = ['inner', 'outer', 'job'].map((name) => spans.find((span) => span.name === name)!);
    expect(spans).toHaveLength(3);
    expect([...services]).toEqual(['sublace-worker']);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect([root.spanId, root.parentSpanId ?? '', outer.parentSpanId, inner.parentSpanId]).toEqual([spanId, '', spanId, outer.spanId]);
    expect([root.status.message, outer.status.message, inner.status.code ?? 0]).toEqual(['the job failed', 'it broke', 0]);
    expect(outer.attributes).toContainEqual({ key: 'sublace.shard', value: { intValue: 3 } });
    const [inside, outside] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(inside).toMatchObject({ trace_id: traceId, span_id: outer.spanId });
    expect([outside['trace_id'], outside['span_id']]).toEqual([traceId, undefined]);
  });
});
