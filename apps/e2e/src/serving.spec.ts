import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openInferenceClient, type ModelInferResponse } from '@sublace/protocol/inference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../../cli/bin/sublace.mjs', import.meta.url));
const serving = fileURLToPath(new URL('../../serving/src/main.ts', import.meta.url));
const fitTimeoutMs = 180_000;

let folder: string;
let posterior: string;

/** A process to its end. */
async function run(entry: string, ...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

/** A serving process that has said it is ready. */
async function serve(...args: string[]): Promise<{ child: ChildProcess; httpPort: number; grpcPort: number; model: string }> {
  const child = spawn(process.execPath, [serving, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { httpPort: number; grpcPort: number; model: string }) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-serving-'));
  posterior = join(folder, 'posterior');
  const data = 'toy-1d?count=100&seed=1';
  const train = await run(cli, 'train', '--data', data, '--arch', 'mlp:8x1', '--epochs', '20', '--out', join(folder, 'model'));
  expect(train, train.stderr).toMatchObject({ status: 0 });
  const options = ['--likelihood', 'regression', '--subnetwork', 'largest-variance:12', '--workers', '1', '--out', posterior];
  const fit = await run(cli, 'fit', '--model', join(folder, 'model'), '--data', data, ...options);
  expect(fit, fit.stderr).toMatchObject({ status: 0 });
}, fitTimeoutMs);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the serving process', () => {
  it('answers by both protocols with the same bits, and drains on SIGTERM', async () => {
    const { child, httpPort, grpcPort, model } = await serve(
      '--posterior',
      posterior,
      '--name',
      'toy',
      '--http-port',
      '0',
      '--grpc-port',
      '0',
    );
    expect(model).toBe('toy');
    const base = `http://127.0.0.1:${httpPort}/v2`;
    expect(await (await fetch(`${base}/health/ready`)).json()).toEqual({ ready: true });
    const metadata = (await (await fetch(`${base}/models/toy`)).json()) as {
      inputs: { shape: number[] }[];
      properties: Record<string, string>;
    };
    expect(metadata.inputs[0].shape).toEqual([-1, 1]);
    expect(metadata.properties['likelihood']).toBe('regression');

    // Inside the data, and far away from them.
    const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [2, 1], data: [0, 50] }] });
    const rest = (await (await fetch(`${base}/models/toy/infer`, { method: 'POST', body })).json()) as {
      outputs: { name: string; data: number[] }[];
    };
    expect(rest.outputs.map((output) => output.name)).toEqual(['mean', 'variance']);
    const [, variance] = rest.outputs;
    expect(variance.data[0]).toBeGreaterThan(0);
    expect(variance.data[1]).toBeGreaterThan(variance.data[0]);

    const client = openInferenceClient(`127.0.0.1:${grpcPort}`);
    const raw = await new Promise<ModelInferResponse>((resolve, reject) =>
      client.ModelInfer(
        {
          modelName: 'toy',
          inputs: [{ name: 'input', datatype: 'FP32', shape: [2, 1] }],
          rawInputContents: [Buffer.from(Float32Array.of(0, 50).buffer)],
        },
        (error, answer) => (error ? reject(error) : resolve(answer!)),
      ),
    );
    client.close();
    expect(raw.rawOutputContents).toEqual(rest.outputs.map(({ data }) => Buffer.from(Float32Array.from(data).buffer)));

    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(fetch(`${base}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('ends with 42 and one line when a port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const result = await run(serving, '--posterior', posterior, '--http-port', '0', '--grpc-port', String(port));
    holder.close();
    expect(result.status).toBe(42);
    expect(result.stdout).toBe('');
    expect(result.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(new RegExp(`^sublace: gRPC port ${port} .*in use.*--grpc-port`)) as string,
    ]);
  });

  it('ends with 42 and names the file of a posterior that is damaged', async () => {
    const copy = join(folder, 'damaged');
    await cp(posterior, copy, { recursive: true });
    const name = (await readdir(copy)).find((entry) => entry.endsWith('.safetensors'))!;
    const bytes = await readFile(join(copy, name));
    bytes[bytes.length - 1] ^= 1;
    await writeFile(join(copy, name), bytes);
    const damaged = await run(serving, '--posterior', copy, '--http-port', '0', '--grpc-port', '0');
    expect(damaged.status).toBe(42);
    expect(damaged.stderr).toMatch(new RegExp(`sublace: .*${name}: expected sha256`));
  });

  it('ends with 42 where there is no posterior, and with 2 on a bad option', async () => {
    expect(await run(serving, '--posterior', join(folder, 'none'))).toMatchObject({
      status: 42,
      stderr: expect.stringContaining('none') as string,
    });
    expect(await run(serving, '--posteriors', 'x')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^sublace: /) as string });
  });
});
