import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { nodeOptionsOf, type Role } from './index.ts';

/** Makes garbage of which little enough lives, for long enough, that V8 gives the young generation all it may have; prints MiB. */
const GARBAGE = `
  let kept = [];
  for (let i = 0; i < 3e6; i++) {
    kept.push({ i, pair: [i, i] });
    if (kept.length > 200_000) kept = [];
  }
  const { getHeapSpaceStatistics } = require('node:v8');
  console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20);
`;

const youngGeneration = (options: readonly string[]): number => Number(spawnSync(process.execPath, [...options, '-e', GARBAGE]).stdout);

it('a busy server keeps its young generation small', () => {
  expect(youngGeneration(nodeOptionsOf('serving'))).toBeLessThanOrEqual(32);
  expect(youngGeneration([])).toBeGreaterThan(32); // else the garbage shows nothing
});

it.for<Role>(['coordinator', 'reducer', 'worker'])('a %s runs as Node is', (role) => {
  expect(nodeOptionsOf(role)).toEqual([]);
});
