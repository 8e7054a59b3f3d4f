import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendants } from './command-line/processes.ts';
import { runSublace, startSublace, type CommandResult } from './command-line/run-sublace.ts';

const folder = mkdtempSync(join(tmpdir(), 'sublace-e2e-'));
const model = join(folder, 'model');
const posterior = join(folder, 'posterior');
const data = 'digits?count=600&seed=1';

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runSublace([...args, '--json']);
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

beforeAll(async () => {
  await json('train', '--data', data, '--arch', 'lenet5', '--epochs', '2', '--out', model);
});

describe('the commands, one after the other', () => {
  it('fits a posterior of a trained model', async () => {
    const result = await json(
      'fit',
      '--model',
      model,
      '--data',
      data,
      '--subnetwork',
      'gradient-energy:200',
      '--workers',
      '2',
      '--out',
      posterior,
    );
    expect(result['digest']).toMatch(/^[0-9a-f]{64}$/);
    expect(readdirSync(posterior)).toContain('manifest.json');
  });

  it('tells what a fit would take, and writes nothing', async () => {
    const output = join(folder, 'posterior-dry');
    const args = ['--model', model, '--data', data, '--subnetwork', 'gradient-energy:200', '--out', output];
    const result = await json('fit', ...args, '--workers', '2', '--dry-run');
    expect(result).toMatchObject({ sizes: [200], workerCount: 2, plan: { likelihood: 'classification' } });
    const phases = result['phases'] as { phase: string; seconds: number }[];
    expect(phases.map(({ phase }) => phase)).toEqual(['plan', 'score', 'select', 'accumulate', 'finalise']);
    expect(existsSync(output)).toBe(false);
  });

  it('fits nested subnetworks in one job, ranked by snapshots of the weights', async () => {
    await json('swag', '--model', model, '--data', data, '--snapshots', '2');
    const output = join(folder, 'sequence');
    const args = ['--model', model, '--data', data, '--subnetwork', 'swag-variance:20,60', '--candidates', 'dense', '--out', output];
    const result = await json('fit', ...args, '--workers', '2', '--prior-precision', '5');
    expect((result['posteriors'] as { folder: string }[]).map((each) => each.folder)).toEqual([join(output, '20'), join(output, '60')]);
    const { manifest } = (await json('inspect', '--posterior', join(output, '20'))) as { manifest: { subnetwork: unknown } };
    expect(manifest.subnetwork).toMatchObject({ rule: 'swag-variance:20', size: 20, swagDigest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(readdirSync(folder).filter((name) => name.includes('staging'))).toEqual([]);
  });

  it('inspects it', async () => {
    const result = await json('inspect', '--posterior', posterior);
    expect(result).toMatchObject({ manifest: { likelihood: 'classification', subnetwork: { rule: 'gradient-energy:200', size: 200 } } });
  });

  it('evaluates it beside the MAP', async () => {
    const result = await json('evaluate', '--posterior', posterior, '--data', 'digits?count=100&seed=5');
    expect(JSON.stringify(result)).toContain('"MAP"');
    expect(JSON.stringify(result)).toContain('"Sublace"');
  });

  it('predicts from a file, into a file', async () => {
    const input = join(folder, 'inputs.json');
    const output = join(folder, 'predictions.csv');
    const image = Array.from({ length: 28 }, (_, y) => Array.from({ length: 28 }, (__, x) => [(x * y) % 256]));
    writeFileSync(input, JSON.stringify([image, image]));
    await json('predict', '--posterior', posterior, '--input', input, '--output', output, '--outputs', 'probabilities,entropy');
    const [header, first, second] = readFileSync(output, 'utf8').trim().split('\n');
    expect(header.split(',')).toEqual([...Array.from({ length: 10 }, (_, c) => `probabilities_${c}`), 'entropy']);
    const values = first.split(',').map(Number);
    second.split(',').forEach((value, column) => expect(Number(value)).toBeCloseTo(values[column], 6));
    expect(values.slice(0, 10).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  });
});

describe('a posterior and more data', () => {
  const more = 'digits?count=300&seed=2';
  const prior = ['--prior-precision', '5'];
  const [other, continued, merged] = ['other', 'continued', 'merged'].map((name) => join(folder, name));

  it('is continued, or merged with the posterior of the other data: the same bits', async () => {
    const rule = `indices:${join(posterior, 'subnetwork.safetensors')}`;
    const fit = ['fit', '--model', model, '--data', more, '--subnetwork', rule, '--keep-dead', '--validation', 'none', '--workers', '1'];
    await json(...fit, ...prior, '--out', other);
    const result = await json('fit', '--continue', posterior, '--data', more, '--workers', '1', ...prior, '--out', continued);
    const sum = await json('merge', posterior, other, ...prior, '--out', merged);
    expect(sum['digest']).toBe(result['digest']);
    expect(sum).toMatchObject({ manifest: { data: { exampleCount: 840, sets: [{ spec: data }, { spec: more }] } } });
    expect(readdirSync(merged)).toContain('manifest.json');
  });

  it('refuses data that it has seen, and leaves nothing', async () => {
    const output = join(folder, 'twice');
    const again = await runSublace(['merge', merged, other, '--out', output]);
    expect([again.status, again.stdout]).toEqual([42, '']);
    expect(again.stderr).toMatch(/^sublace: data .*: expected examples that were not fitted yet, got those of .* again\n$/);
    const names = readdirSync(folder).filter((name) => name.includes('twice'));
    expect(names).toEqual([]);
  });
});

describe('bad input', () => {
  const fit = (...rest: string[]): Promise<CommandResult> => {
    const given = new Map([['--model', model], ['--data', data], ['--subnetwork', 'random:100'], ['--out', join(folder, 'refused')], ['--workers', '1']]); // prettier-ignore
    for (let i = 0; i < rest.length; i += 2) given.set(rest[i], rest[i + 1]);
    return runSublace(['fit', ...[...given].flat()]);
  };

  /** Exit code 42, one line that starts with `sublace:` and says what is expected, and nothing written. */
  function expectRefusal({ status, stderr }: CommandResult, message: RegExp): void {
    const lines = stderr
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('sublace:'));
    expect([status, lines]).toEqual([42, [expect.stringMatching(message)]]);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  }

  it('refuses a model that is not there', async () => {
    expectRefusal(await fit('--model', join(folder, 'nowhere')), /nowhere/);
  });

  it('refuses truncated weights', async () => {
    const truncated = join(folder, 'truncated');
    cpSync(model, truncated, { recursive: true });
    truncateSync(join(truncated, 'weights.bin'), 1000);
    expectRefusal(await fit('--model', truncated), /weights/);
  });

  it('refuses weights that are not numbers', async () => {
    const broken = join(folder, 'broken');
    cpSync(model, broken, { recursive: true });
    const weights = readFileSync(join(broken, 'weights.bin'));
    weights.writeFloatLE(Number.NaN, 40);
    writeFileSync(join(broken, 'weights.bin'), weights);
    expectRefusal(await fit('--model', broken), /NaN|finite/);
  });

  it('refuses a layer that it has no rule for, by name', async () => {
    const unsupported = join(folder, 'unsupported');
    cpSync(model, unsupported, { recursive: true });
    const json = readFileSync(join(unsupported, 'model.json'), 'utf8').replace('"Flatten"', '"Masking"');
    writeFileSync(join(unsupported, 'model.json'), json);
    expectRefusal(await fit('--model', unsupported), /Masking/);
  });

  it('refuses data of another shape', async () => {
    expectRefusal(await fit('--data', 'toy-1d'), /expected/);
  });

  it('refuses more weights than there are candidates', async () => {
    expectRefusal(await fit('--subnetwork', 'random:10000000'), /10000000|10,000,000/);
  });

  it('refuses an input that is not finite, by row', async () => {
    const table = join(folder, 'table.csv');
    writeFileSync(table, 'a,b,y\n1,2,3\n4,NaN,6\n');
    const { status, stderr } = await runSublace(['train', '--data', table, '--arch', 'mlp:4x1', '--out', join(folder, 'refused')]);
    expect([status, stderr]).toEqual([42, expect.stringMatching(/^sublace: .*(line 3|row 1)/m)]);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  it('refuses a posterior whose bytes are not those that were published', async () => {
    const other = join(folder, 'posterior-damaged');
    cpSync(posterior, other, { recursive: true });
    const names = readdirSync(other).filter((name) => name.endsWith('.safetensors'));
    const damaged = readFileSync(join(other, names[0]));
    damaged[damaged.length - 1] ^= 1;
    writeFileSync(join(other, names[0]), damaged);
    const { status, stderr } = await runSublace(['inspect', '--posterior', other]);
    expect([status, stderr]).toEqual([42, expect.stringMatching(/^sublace: .*(sha256|digest)/m)]);
  });

  it('refuses to serve on a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { status, stderr } = await runSublace(['serve', '--posterior', posterior, '--http-port', String(port), '--grpc-port', '0']);
    server.close();
    expect([status, stderr]).toEqual([42, expect.stringMatching(new RegExp(`^sublace: .*${port}`, 'm'))]);
  });

  it('refuses an output that cannot be written, before any work', async () => {
    writeFileSync(join(folder, 'a-file'), '');
    const { status, stderr } = await fit('--out', join(folder, 'a-file', 'posterior'));
    expect([status, stderr.trim().split('\n')]).toEqual([42, [expect.stringMatching(/^sublace: output/)]]);
  });
});

describe('Ctrl-C', () => {
  it('ends every process of a fit, and leaves nothing', async () => {
    const output = join(folder, 'interrupted');
    const child = startSublace([
      'fit',
      '--model',
      model,
      '--data',
      'digits?count=20000',
      '--subnetwork',
      'gradient-energy:500',
      '--workers',
      '2',
      '--out',
      output,
    ]);
    // The first line of progress comes when workers compute.
    await once(child.stderr!, 'data');
    const processes = descendants(child.pid!).map(({ pid }) => pid);
    expect(processes.length).toBeGreaterThanOrEqual(3);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(processes.filter(isAlive)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.includes('interrupted'))).toEqual([]);
  });
});

describe('the bundle', () => {
  const bundle = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

  it.skipIf(!existsSync(bundle))('does what the sources do (needs npm run build)', async () => {
    const { status, stdout } = await runSublace(['inspect', '--posterior', posterior, '--json'], bundle);
    expect([status, JSON.parse(stdout)]).toEqual([0, await json('inspect', '--posterior', posterior)]);
  });
});
