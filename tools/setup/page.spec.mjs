import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needsBuild } from './page.mjs';

let root;
let page;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'page-'));
  page = join(root, 'apps', 'page');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Writes a file, and gives it and the folders around it a time, seconds. */
function write(name, time) {
  const path = join(page, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  for (const each of [path, dirname(path), dirname(dirname(path))]) utimesSync(each, time, time);
}

describe('needsBuild', () => {
  it('is true for a page that is missing, and for one that is older than a source', () => {
    write('index.html', 100);
    write('src/views/live.tsx', 100);
    expect(needsBuild(page)).toBe(true);
    write('dist/index.html', 200);
    expect(needsBuild(page)).toBe(false);
    write('src/views/live.tsx', 300);
    expect(needsBuild(page)).toBe(true);
    write('dist/index.html', 400);
    write('../../libs/client/src/index.ts', 500);
    expect(needsBuild(page)).toBe(true);
  });

  it('is false when only a test has changed, and where there are no sources', () => {
    expect(needsBuild(page)).toBe(false);
    write('dist/index.html', 200);
    expect(needsBuild(page)).toBe(false);
    write('index.html', 100);
    write('src/live.spec.ts', 300);
    utimesSync(join(page, 'src'), 100, 100);
    expect(needsBuild(page)).toBe(false);
  });
});
