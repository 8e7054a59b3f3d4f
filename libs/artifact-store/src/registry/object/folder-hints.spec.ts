import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FolderHints } from './folder-hints.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-hints-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('waits for the folder, tells of a file that is exchanged, and ends', async () => {
  let count = 0;
  const path = join(folder, 'm');
  const hints = new FolderHints(path, () => (count += 1));
  hints.ensure();
  await mkdir(path);
  hints.ensure();
  await writeFile(join(folder, 'next'), 'x');
  await rename(join(folder, 'next'), join(path, 'pointers.json'));
  await expect.poll(() => count, { timeout: 30_000 }).toBeGreaterThan(0);
  hints.close();
  const told = count;
  await writeFile(join(path, 'pointers.json'), 'y');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(count).toBe(told);
});
