import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startS3, type S3Server } from '@sublace/test-servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryConformance } from '../conformance.ts';
import { openRegistry } from '../open-registry.ts';

const folders: string[] = [];
const before = { ...process.env };
let server: S3Server;
let count = 0;
beforeAll(async () => {
  server = await startS3();
  Object.assign(process.env, server.env);
}, 300_000);
afterAll(async () => {
  process.env = before;
  await server.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  folders.push(await mkdtemp(join(tmpdir(), 'registry-')));
  return folders.at(-1)!;
}

registryConformance('the registry in a folder', newFolder);
registryConformance('the registry in a bucket', async () => `s3://sublace-test/registry-${count++}`);

describe('the registry in a folder', () => {
  it('names a file that was damaged', async () => {
    const folder = await newFolder();
    const registry = openRegistry(folder);
    await registry.register('m', { uri: '/a', digest: '0'.repeat(64) });
    await registry.setPointer('m', 'stable', 1);
    await writeFile(join(folder, 'registry', 'm', 'pointers.json'), '{"revision":1,"labels":{"stable":"x"}}');
    const damaged = (file: RegExp): object =>
      expect.objectContaining({ code: 'DATA_INVALID', message: expect.stringMatching(file) as string }) as object;
    await expect(registry.resolve('m', 'stable')).rejects.toEqual(damaged(/pointers\.json: expected labels/));
    await writeFile(join(folder, 'registry', 'm', 'versions', '00000001.json'), '{');
    await expect(openRegistry(folder).get('m', 1)).rejects.toEqual(damaged(/00000001\.json: expected a registered version/));
  });
});
