import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PartResult, Results } from './results.ts';
import { resultsName, writeResults } from './results.ts';

const machine = { cpu: 'Some(R) Brand(TM) 8488C CPU @ 2.40GHz', cores: 2, memoryGib: 24, node: 'v24', commit: 'abc' };
const part = (title: string): PartResult => ({ title, machine, processes: 2, threads: 1, cases: [] });

const folder = mkdtempSync(join(tmpdir(), 'sublace-results-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('resultsName', () => {
  it('is the model of the processor, its cores and the day', () =>
    expect(resultsName(machine, '2026-11-25')).toBe('some-brand-8488c-2-cores-2026-11-25'));
});

describe('writeResults', () => {
  it('adds parts to those that are there and replaces those of the same name', () => {
    writeResults(folder, 'x', { one: part('first'), two: part('second') });
    const names = writeResults(folder, 'x', { two: part('again'), three: part('third') });
    expect(names).toEqual(['x.json', 'x.md']);
    const results = JSON.parse(readFileSync(join(folder, 'x.json'), 'utf8')) as Results;
    expect(Object.entries(results).map(([name, { title }]) => [name, title])).toEqual([
      ['one', 'first'],
      ['two', 'again'],
      ['three', 'third'],
    ]);
    const markdown = readFileSync(join(folder, 'x.md'), 'utf8');
    expect(markdown.match(/^## .*$/gm)).toEqual(['## one: first', '## two: again', '## three: third']);
  });
});
