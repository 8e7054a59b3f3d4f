import { describe, expect, it } from 'vitest';
import type { EndedRequest } from './observer.ts';
import { servingMetrics, type MetricSources } from './serving-metrics.ts';
import { Statistics } from './statistics.ts';

const key = { name: 'm', version: '1' };

/** Statistics with some requests, and what a scrape says of them. */
async function scraped(codes: readonly EndedRequest['code'][], options: { triton?: boolean } = {}): Promise<string[]> {
  const statistics = new Statistics();
  statistics.modelChanged(key, 'ready');
  statistics.modelChanged({ name: 'm', version: '2' }, 'failed', 'no such file');
  for (const [i, code] of codes.entries()) {
    statistics.requestEnded({ ...key, protocol: 'rest', code, count: 2, total: 10 ** -i, queue: 0.001, compute: 0.002 });
  }
  statistics.batchEnded({ ...key, requests: 2, examples: 3, compute: 0.25 });
  const sources: MetricSources = {
    statistics: () => statistics.snapshot(),
    calls: () => ({ inFlight: { rest: 3, grpc: 0 }, refused: { unauthenticated: 1, forbidden: 0, rate_limited: 2 } }),
    loaded: () => [{ ...key, memoryBytes: 1024, isDefault: true }],
    bodyBytes: () => 4096,
  };
  const text = await servingMetrics(sources, options).metrics();
  return text.split('\n').map((line) => line.replaceAll(',role="serving"', ''));
}

describe('servingMetrics', () => {
  it('has buckets that hold those below them, each with its sum and count', async () => {
    const lines = await scraped(['OK', 'OK', 'OK', 'OK']); // 1 s, 0.1 s, 10 ms, 1 ms
    const bucket = (le: string): string => `sublace_serving_request_seconds_bucket{model="m",version="1",le="${le}"}`;
    expect(lines).toEqual(
      expect.arrayContaining([
        `${bucket('0.0005')} 0`,
        `${bucket('0.001')} 1`,
        `${bucket('0.005')} 1`,
        `${bucket('0.01')} 2`,
        `${bucket('0.1')} 3`,
        `${bucket('1')} 4`,
        `${bucket('30')} 4`,
        `${bucket('+Inf')} 4`,
        'sublace_serving_request_seconds_sum{model="m",version="1"} 1.111',
        'sublace_serving_request_seconds_count{model="m",version="1"} 4',
        'sublace_serving_batch_size_bucket{model="m",version="1",le="2"} 0',
        'sublace_serving_batch_size_bucket{model="m",version="1",le="4"} 1',
      ]),
    );
  });

  it('tells states, memory, calls, and failures by code', async () => {
    const lines = await scraped(['OK', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
    expect(lines).toEqual(
      expect.arrayContaining([
        'sublace_serving_requests_total{model="m",version="1",protocol="rest",code="INVALID_ARGUMENT"} 2',
        'sublace_serving_version_state{model="m",version="2",state="failed"} 1',
        'sublace_serving_version_changes_total{model="m",change="failed"} 1',
        'sublace_serving_active_version{model="m",version="1"} 1',
        'sublace_serving_memory_bytes{model="m",version="1"} 1024',
        'sublace_serving_in_flight{protocol="rest"} 3',
        'sublace_serving_refused_total{reason="rate_limited"} 2',
        'sublace_serving_body_bytes{role="serving"} 4096',
      ]),
    );
    expect(lines.some((line) => line.startsWith('nv_'))).toBe(false);
  });

  it("has Triton's names, units and reasons, when asked", async () => {
    const codes = ['OK', 'RESOURCE_EXHAUSTED', 'CANCELLED', 'INTERNAL', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED'] as const;
    const lines = await scraped(codes, { triton: true });
    expect(lines).toEqual(
      expect.arrayContaining([
        'nv_inference_request_success{model="m",version="1"} 1',
        'nv_inference_request_failure{model="m",version="1",reason="REJECTED"} 2',
        'nv_inference_request_failure{model="m",version="1",reason="CANCELED"} 1',
        'nv_inference_request_failure{model="m",version="1",reason="BACKEND"} 1',
        'nv_inference_request_failure{model="m",version="1",reason="OTHER"} 1',
        'nv_inference_count{model="m",version="1"} 2',
        'nv_inference_exec_count{model="m",version="1"} 1',
        'nv_inference_request_duration_us{model="m",version="1"} 1000000',
        'nv_inference_queue_duration_us{model="m",version="1"} 1000',
        'nv_inference_compute_infer_duration_us{model="m",version="1"} 2000',
        'nv_inference_pending_request_count{model="m",version="1"} 0',
      ]),
    );
  });
});
