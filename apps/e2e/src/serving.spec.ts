import { once } from 'node:events';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openInferenceClient, type ModelInferResponse } from '@sublace/protocol/inference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSublace } from './command-line/run-sublace.ts';
import { ServingProcess, servingEntry } from './serving/serving-process.ts';
import { fitToyPosterior } from './serving/toy-posterior.ts';

const fitTimeoutMs = 180_000;

let folder: string;
let posterior: string;

/** A serving process to its end. */
const run = (...args: string[]): ReturnType<typeof runSublace> => runSublace(args, servingEntry);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sublace-serving-'));
  posterior = (await fitToyPosterior(folder, 1)).place;
}, fitTimeoutMs);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the serving process', () => {
  it('answers by both protocols with the same bits, and drains on SIGTERM', async () => {
    const server = await ServingProcess.start(['--posterior', posterior, '--name', 'toy']);
    expect(server.ready['model']).toBe('toy');
    const base = `${server.url}/v2`;
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

    const client = openInferenceClient(server.grpcAddress);
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

    expect(await server.stop()).toBe(0);
    await expect(fetch(`${base}/health/live`)).rejects.toThrow('fetch failed');
  });

  it('ends with 42 and one line when a port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const result = await run('--posterior', posterior, '--http-port', '0', '--grpc-port', String(port));
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
    const damaged = await run('--posterior', copy, '--http-port', '0', '--grpc-port', '0');
    expect(damaged.status).toBe(42);
    expect(damaged.stderr).toMatch(new RegExp(`sublace: .*${name}: expected sha256`));
  });

  it('ends with 42 where there is no posterior, and with 2 on a bad option', async () => {
    expect(await run('--posterior', join(folder, 'none'))).toMatchObject({
      status: 42,
      stderr: expect.stringContaining('none') as string,
    });
    expect(await run('--posteriors', 'x')).toMatchObject({ status: 2, stderr: expect.stringMatching(/^sublace: /) as string });
  });
});
