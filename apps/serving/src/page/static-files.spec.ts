import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadStaticFiles } from './static-files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'page-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const load = (): ReturnType<typeof loadStaticFiles> => loadStaticFiles(pathToFileURL(`${root}/`));

describe('loadStaticFiles', () => {
  it('takes the index and the assets that a browser asks for, and nothing else', async () => {
    mkdirSync(join(root, 'assets'));
    const script = 'console.log(1);\n'.repeat(100);
    writeFileSync(join(root, 'index.html'), '<p>');
    writeFileSync(join(root, 'secret.txt'), 'x');
    writeFileSync(join(root, 'assets', 'a-1.js'), script);
    writeFileSync(join(root, 'assets', 'a-1.js.map'), '{}');
    writeFileSync(join(root, 'assets', '.htaccess'), 'x');
    const files = await load();
    expect(files?.map(({ path, contentType, isHashed }) => [path, contentType, isHashed])).toEqual([
      ['/', 'text/html; charset=utf-8', false],
      ['/assets/a-1.js', 'text/javascript; charset=utf-8', true],
    ]);
    const [index, asset] = files!;
    expect(index.gzipped).toBeNull();
    expect(gunzipSync(asset.gzipped!).toString()).toBe(script);
    expect(asset.etag).not.toBe(index.etag);
  });

  it('is null where the page is not built', async () => {
    expect(await load()).toBeNull();
    rmSync(root, { recursive: true });
    expect(await load()).toBeNull();
  });

  it('fails for an index that cannot be read', async () => {
    symlinkSync('index.html', join(root, 'index.html'));
    await expect(load()).rejects.toMatchObject({ code: 'ELOOP' });
  });
});
