import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearGaussianModel } from '../../test/linear-gaussian-model.ts';
import { readyService } from '../../test/ready-service.ts';
import { silentLog } from '../log.ts';
import { createRestServer } from './rest-server.ts';

const model = linearGaussianModel();
const service = await readyService(model);
const defects: unknown[] = [];
const app = createRestServer({ service, bodyLimitBytes: 10_000, log: { ...silentLog, error: (fields) => defects.push(fields) } });

/** Anything at all. */
const wild = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.array(fc.maxSafeInteger(), { maxLength: 5 }));

/** Mostly the first value, so that a good part of the requests passes the checks; else one of the others, or anything. */
const mostly = (good: unknown, ...others: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(good) },
    { weight: 1, arbitrary: fc.constantFrom(good, ...others) },
    { weight: 1, arbitrary: wild },
  );

const input = fc.record({
  name: mostly('input', 'x', ''),
  datatype: mostly('FP32', 'FP64', 'INT32', 'UINT8', 'BYTES', 'constructor'),
  shape: mostly([1, 3], [2, 3], [2 ** 40, 3], [-1, 3], [3], []),
  data: mostly(
    [1, 2, 3],
    [[1, 2, 3]],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    [[[1]]],
    [1, null, 3],
    null,
  ),
  parameters: mostly({}, { binary_data_size: 12 }, { binary_data_size: -1 }, { binary_data_size: 1e300 }),
});
const body = fc.record({
  id: mostly('a', 3),
  inputs: fc.oneof(
    { weight: 9, arbitrary: fc.array(input, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(input) },
    wild,
  ),
  outputs: mostly([{ name: 'mean' }], [], [{ name: 'toString' }], [{ name: 'mean' }, { name: 'mean' }], [{}]),
  parameters: mostly({}, { seed: 1 }, { binary_data_output: true }, { x: 1 }, JSON.parse('{"__proto__": 1}')),
});
const headerLength = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  fc.nat(300).map(String),
  fc.stringMatching(/^[ -~]{0,20}$/),
);

describe('hostile requests', () => {
  it('get an answer or a refusal, never a defect', async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(body, fc.uint8Array({ maxLength: 20 }), headerLength, async (json, tail, length) => {
        const response = await app.inject({
          method: 'POST',
          url: '/v2/models/linear/infer',
          headers: length === undefined ? {} : { 'inference-header-content-length': length },
          payload: Buffer.concat([Buffer.from(JSON.stringify(json)), length === undefined ? Buffer.alloc(0) : tail]),
        });
        seen.add(response.statusCode);
        expect([200, 400]).toContain(response.statusCode);
        if (response.statusCode === 400) expect(response.json()).toEqual({ error: expect.stringMatching(/^[^\n]+$/) as string });
      }),
      { seed: 7, numRuns: 2000 },
    );
    expect(defects).toEqual([]);
    expect(seen).toEqual(new Set([200, 400])); // the generator reaches both sides of the checks
  });

  it('cannot leave the models by their name', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.stringMatching(/^[./\\%2ef]{1,20}$/)), async (name) => {
        const response = await app.inject({ method: 'GET', url: `/v2/models/${encodeURIComponent(name)}` });
        expect([404, 414]).toContain(response.statusCode);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});
