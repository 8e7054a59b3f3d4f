import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missed, runServingBench } from './serving-bench.ts';
import { fitToyPosterior } from './toy-posterior.ts';

let folder: string;
let posterior: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-overload-'));
  posterior = (await fitToyPosterior(folder, 1)).place;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a serving process that is asked for too much', () => {
  it('refuses what it cannot take, by both protocols, and answers every health check', async () => {
    const checks = await runServingBench('overload', '--posterior', posterior, '--window', '1');
    expect(missed(checks, /neither answered nor refused|health checks that failed/)).toEqual([]);
    const shares = checks.filter(({ what }) => /share refused|answers\/s during overload/.test(what));
    expect(shares).toHaveLength(4);
    for (const { what, figure } of shares) expect(figure, what).toBeGreaterThan(0);
  });

  it('answers a client that waits while others hang up', async () => {
    const checks = await runServingBench('hang-ups', '--posterior', posterior, '--window', '1');
    expect(missed(checks, /crowd that hung up|failures of the patient client afterwards/)).toEqual([]);
    const answered = checks.filter(({ what }) => what.includes('patient client that was answered'));
    expect(answered).toHaveLength(2);
    for (const { what, figure } of answered) expect(figure, what).toBeGreaterThan(0);
  });

  it('is killed, and its successor on the same ports answers the same clients', async () => {
    const checks = await runServingBench('restart', '--posterior', posterior, '--window', '1');
    expect(checks).toHaveLength(10);
    expect(missed(checks, /outcomes that are neither|failures to connect|answers of the new process/)).toEqual([]);
  });
});
