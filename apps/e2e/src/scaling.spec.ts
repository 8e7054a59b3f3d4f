import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runSublace } from './command-line/run-sublace.ts';

const folder = mkdtempSync(join(tmpdir(), 'sublace-scaling-'));
const data = 'digits?count=400&seed=3';

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What these tests read of a report. */
interface ScalingReport {
  readonly areDigestsEqual: boolean;
  readonly digests: string[];
  readonly runs: { workerCount: number; digest: string }[];
  readonly warnings: string[];
  readonly measured: {
    workerCount: number;
    source: string;
    seconds: number;
    stages: { stage: string; seconds: number; bytes: number; computeSeconds: number }[];
  }[];
  readonly costModel: { status: string; message?: string };
  readonly simulated: { source: string; rows: { report: SimulationReport; speedUp: number }[]; besideMeasured: SimulationReport[] };
}

interface SimulationReport {
  readonly outcome: string;
  readonly workerCount: number;
  readonly makespanSeconds: number;
}

function read(name: string, file: string): string {
  return readFileSync(join(folder, name, file), 'utf8');
}

describe('sublace scaling', () => {
  it('runs the same fit with one and with two workers, gets one digest, and writes what it measured, simulated, and could not predict', async () => {
    const model = join(folder, 'model');
    const trained = await runSublace(['train', '--data', data, '--arch', 'mlp:16x1', '--epochs', '2', '--out', model]);
    expect(trained.status, trained.stderr).toBe(0);
    const fit = ['--model', model, '--data', data, '--subnetwork', 'gradient-energy:200', '--shard-size', '100', '--prior-precision', '30'];
    const counts = ['--workers', '1,2', '--repeats', '1', '--simulate', '1,10,1000', '--simulated-reducers', '2'];
    const { status, stdout, stderr } = await runSublace(['scaling', ...fit, ...counts, '--out', join(folder, 'report')]);
    expect(status, stderr).toBe(0);

    const report = JSON.parse(read('report', 'report.json')) as ScalingReport;
    expect(report.runs.map(({ workerCount }) => workerCount)).toEqual([1, 2]);
    expect(report.areDigestsEqual).toBe(true);
    expect(report.digests).toEqual([report.runs[0].digest]);
    expect(report.runs[0].digest).toMatch(/^[0-9a-f]{64}$/);
    for (const { seconds, stages, workerCount, source } of report.measured) {
      expect(stages.map(({ stage }) => stage)).toEqual(['plan', 'score', 'select', 'accumulate', 'finalise', 'publish']);
      expect(stages.every((stage) => stage.seconds > 0)).toBe(true);
      expect(stages.slice(0, -1).every((stage) => stage.computeSeconds > 0)).toBe(true);
      expect(stages.reduce((sum, stage) => sum + stage.seconds, 0)).toBeCloseTo(seconds, 6);
      // One tile of 200 x 200 in float64 per shard.
      const shardCount = Math.ceil(360 / 100);
      expect(stages[3].bytes).toBe(shardCount * 200 * 200 * 8);
      if (source === 'crowded') expect(report.warnings.join()).toContain(`${workerCount}`);
    }
    expect(report.costModel).toMatchObject({ status: 'too-few-runs' });
    expect(report.simulated.source).toBe('simulated');
    expect(report.simulated.rows.map(({ report: { outcome, workerCount } }) => [workerCount, outcome])).toEqual([
      [1, 'succeeded'],
      [10, 'succeeded'],
      [1000, 'succeeded'],
    ]);
    expect(report.simulated.besideMeasured).toHaveLength(2);

    const markdown = read('report', 'report.md');
    expect(markdown).toContain('the same digest from all 2 runs');
    expect(markdown).toContain('none: cost model: expected runs with at least 3 numbers of workers, got 2');
    expect(markdown).toContain('SIMULATED, calibrated by the measured runs');
    expect(stdout).toContain('measured: by stage');
    const svg = read('report', 'report.svg');
    expect(svg).toMatch(/^<svg/);
    expect(svg).toContain('>simulated<');
    expect(svg).not.toContain('predicted');
  });

  it('refuses a fit without a model, like fit does', async () => {
    const { status, stderr } = await runSublace(['scaling', '--data', data, '--workers', '1']);
    expect(status).toBe(2);
    expect(stderr).toContain("required option '--model <path>' not specified");
  });
});

describe('sublace simulate', () => {
  const faults = ['--noise', '0.2', '--stragglers', '0.05:3', '--losses', '3600:30', '--pauses', '1800:15', '--reducers', '4'];
  const command = ['simulate', '--workers', '1,10,100,1000', '--shards', '2000', '--bandwidth', '1e9', ...faults];

  it('reports on 1, 10, 100 and 1,000 workers, by seed', async () => {
    const [first, other] = await Promise.all([
      runSublace([...command, '--json', '--out', join(folder, 'simulation')]),
      runSublace([...command, '--json', '--simulation-seed', '1']),
    ]);
    expect(first.status, first.stderr).toBe(0);
    const rowsOf = (stdout: string): { report: SimulationReport }[] =>
      (JSON.parse(stdout) as { rows: { report: SimulationReport }[] }).rows;
    const rows = rowsOf(first.stdout).map(({ report }) => report);
    expect(rows.map(({ workerCount, outcome }) => [workerCount, outcome])).toEqual([1, 10, 100, 1000].map((count) => [count, 'succeeded']));
    expect(rows.map(({ makespanSeconds }) => makespanSeconds)).not.toEqual(
      rowsOf(other.stdout).map(({ report }) => report.makespanSeconds),
    );
    expect(JSON.parse(read('simulation', 'report.json'))).toEqual(JSON.parse(first.stdout));
    expect(read('simulation', 'report.md')).toContain('simulated, nothing is measured; assumptions');
    expect(read('simulation', 'report.svg')).toContain('>simulated<');
  });
});
