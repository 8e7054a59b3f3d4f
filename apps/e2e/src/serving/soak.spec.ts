import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missed, runServingBench } from './serving-bench.ts';
import { fitToyPosterior } from './toy-posterior.ts';

let folder: string;
let posterior: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-soak-'));
  posterior = (await fitToyPosterior(folder, 1)).place;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a serving process under a mixed load', () => {
  // Fifteen minutes of it: npm run bench:serving -- soak
  it('answers every client in kind for twenty seconds, and keeps no tensor', async () => {
    const checks = await runServingBench('soak', '--posterior', posterior, '--seconds', '20');
    expect(checks.map(({ what }) => what.split(',')[0])).toEqual([
      'growth of rss',
      'growth of heap',
      'growth of external',
      'growth of tensors',
      'answers that were not of the right kind',
    ]);
    // Heaps and pools still settle in so short a time; tensors have no reason to.
    expect(missed(checks, /tensors|right kind/)).toEqual([]);
  });
});
