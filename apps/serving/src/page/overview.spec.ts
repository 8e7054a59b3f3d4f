import { describe, expect, it } from 'vitest';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { patient, readyService } from '../../test/ready-service.ts';
import { runInference } from '../inference/run-inference.ts';
import { Statistics } from '../observe/statistics.ts';
import { overviewOf } from './overview.ts';

describe('overviewOf', () => {
  it('says what a version is, and what was counted of it', async () => {
    const service = await readyService(linearGaussianModel());
    const input = { name: 'input', datatype: 'FP32', shape: [2, 3], contents: { kind: 'values' as const, values: [1, 2, 3, 4, 5, 6] } };
    const request = { modelName: 'linear', modelVersion: '', id: '', parameters: {}, inputs: [input], outputs: [] };
    await runInference(service, request, patient);
    await expect(runInference(service, { ...request, outputs: ['x'] }, patient)).rejects.toThrow();
    const overview = overviewOf(service, 0);
    expect(overview.server).toMatchObject({ name: 'sublace', isReady: true });
    expect(overview.models).toHaveLength(1);
    expect(overview.models[0]).toMatchObject({
      ...{ name: 'linear', version: '1', state: 'ready', reason: '', labels: ['stable'], share: 1, inFlight: 0 },
      description: { inputs: [{ name: 'input', shape: [-1, 3] }], properties: { likelihood: 'regression' } },
      statistics: { succeeded: 1, failed: 1, examples: 2, batches: 1, pending: 0 },
    });
    expect(JSON.parse(JSON.stringify(overview))).toEqual(overview);
  });

  it('leaves out the seconds that are known already', async () => {
    const clock = { nowMs: 1_000_000 };
    const statistics = new Statistics(() => clock.nowMs);
    const service = { repository: (await readyService(linearGaussianModel(), statistics)).repository, statistics };
    for (let second = 0; second < 5; second++, clock.nowMs += 1000) {
      const key = { name: 'linear', version: '1' };
      statistics.requestEnded({ ...key, protocol: 'rest', code: 'OK', count: 1, total: 0.01, queue: 0, compute: 0 });
    }
    const times = (since: number): number[] | undefined => overviewOf(service, since).models[0].statistics?.recent.map(({ atMs }) => atMs);
    expect(times(0)).toHaveLength(5);
    expect(times(1_003_000)).toEqual([1_003_000, 1_004_000]);
  });

  it('has no statistics of a version that nobody counts', async () => {
    const { repository } = await readyService(linearGaussianModel());
    expect(overviewOf({ repository, statistics: new Statistics() }, 0).models[0].statistics).toBeNull();
  });
});
