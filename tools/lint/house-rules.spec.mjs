import { describe, expect, it } from 'vitest';
import { broken } from './house-rules.mjs';

const machinePath = ['', 'work', 'main', 'x'].join('/');
const registry = ['https:', '', 'registry.example.org', 'x'].join('/');

describe('broken', () => {
  it('finds machine paths and registry addresses, by line', () => {
    expect(broken('docs/a.md', `fine\nsee ${machinePath}`)).toEqual([`docs/a.md:2: machine path '${machinePath.slice(0, 7)}'`]);
    expect(broken('docs/a.md', `get ${registry}`)).toEqual([`docs/a.md:1: registry address '${registry}'`]);
    expect(broken('package-lock.json', `"resolved": "${registry}"`)).toHaveLength(1);
  });

  it('lets addresses, relative paths and variables be', () => {
    expect(broken('docs/a.md', 'https://example.org/home/page ../home/x $HOME/home/y ~/home/z apps/root/a')).toEqual([]);
  });

  it('asks for short sources and named exports', () => {
    expect(broken('libs/a/src/a.ts', 'x\n'.repeat(401))).toHaveLength(1);
    expect(broken('libs/a/src/index.ts', "export * from './a.ts';")).toHaveLength(1);
    expect(broken('libs/a/src/index.ts', "export { a } from './a.ts';")).toEqual([]);
  });
});
