import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendants } from './command-line/processes.ts';
import { runSublace, startSublace } from './command-line/run-sublace.ts';

const folder = mkdtempSync(join(tmpdir(), 'sublace-digest-'));
const model = join(folder, 'model');
const data = 'digits?count=1500&seed=3';

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fitArguments(name: string, workers: number): string[] {
  const rule = ['--subnetwork', 'gradient-energy:1200', '--shard-size', '100', '--prior-precision', '30'];
  return ['fit', '--model', model, '--data', data, ...rule, '--workers', String(workers), '--out', join(folder, name)];
}

function digestOf(name: string): string {
  return (JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')) as { digest: string }).digest;
}

beforeAll(async () => {
  const { status, stderr } = await runSublace(['train', '--data', data, '--arch', 'lenet5', '--epochs', '3', '--out', model]);
  expect(status, stderr).toBe(0);
  const fit = await runSublace(fitArguments('one', 1));
  expect(fit.status, fit.stderr).toBe(0);
});

describe("a posterior's digest", () => {
  it.each([2, 4])('is the same with %i workers as with one', async (workers) => {
    const { status, stderr } = await runSublace(fitArguments(`with-${workers}`, workers));
    expect(status, stderr).toBe(0);
    expect(digestOf(`with-${workers}`)).toBe(digestOf('one'));
  });

  it.each(['score', 'accumulate'])('is the same after a worker was killed (kill -9) in the middle of %s', async (phase) => {
    const child = startSublace(fitArguments(`killed-in-${phase}`, 2));
    let killed = 0;
    const lines: string[] = [];
    createInterface({ input: child.stderr! }).on('line', (line) => {
      lines.push(line);
      if (killed > 0 || !line.startsWith(`${phase}:`)) return;
      const worker = descendants(child.pid!).find((each) => /worker.src.main/.test(each.commandLine));
      if (!worker) return;
      process.kill(worker.pid, 'SIGKILL');
      killed = worker.pid;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    expect(status, lines.join('\n')).toBe(0);
    expect(killed).toBeGreaterThan(0);
    expect(lines.join('\n')).toContain('SIGKILL');
    expect(digestOf(`killed-in-${phase}`)).toBe(digestOf('one'));
  });
});
