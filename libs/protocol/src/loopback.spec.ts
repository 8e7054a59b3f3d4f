import { afterEach, describe, expect, it } from 'vitest';
import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import type { LeaseRef } from '@sublace/scheduling';
import {
  blocksService,
  createBlocksClient,
  createCoordinatorClient,
  createWorkerClient,
  implement,
  services,
  startServer,
  type HandlersOf,
  type ProgressEvent,
  type RunningServer,
  type ServerOptions,
} from './index.ts';

const lease: LeaseRef = { jobId: 'a', phase: 'accumulate', shard: 3, leaseToken: 2 ** 40 };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(options: ServerOptions): Promise<RunningServer> {
  const server = await startServer(options);
  cleanups.push(() => server.close(100));
  return server;
}

/** A coordinator that knows nothing but what a test gives it. */
async function serveCoordinator(handlers: Partial<HandlersOf<typeof services.Coordinator.service>>, token?: string) {
  return serve({ token, services: [implement(services.Coordinator.service, handlers as HandlersOf<typeof services.Coordinator.service>)] });
}

function blocks(count: number, length: number): Block[] {
  return Array.from({ length: count }, (_, k) => ({
    name: `ggn/${k}/0`,
    shape: [length],
    data: Float32Array.from({ length }, (_, i) => Math.sin(i + k)),
  }));
}

describe('PullBlocks', () => {
  it('moves blocks of many chunks over a real connection, in the order asked for', async () => {
    const held = blocks(3, 700_001);
    const seen: LeaseRef[] = [];
    const server = await serve({
      services: [
        blocksService((ref, name) => {
          seen.push(ref);
          return held.find((block) => block.name === name)!;
        }),
      ],
    });
    const client = createBlocksClient(`127.0.0.1:${server.port}`);
    cleanups.push(() => client.close());
    const got: Block[] = [];
    for await (const block of client.pullBlocks(lease, ['ggn/2/0', 'ggn/0/0'])) got.push(block);
    expect(got.map(({ name, shape }) => [name, shape])).toEqual([held[2], held[0]].map(({ name, shape }) => [name, shape]));
    // As bytes: comparing a million numbers one by one takes seconds.
    expect(
      got.map(({ data }) =>
        Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(Buffer.from(held[data[0] === 0 ? 0 : 2].data.buffer)),
      ),
    ).toEqual([true, true]);
    expect(seen).toEqual([lease, lease]);
  });

  it('gives the blocks before a failure, then the very code of the failure', async () => {
    const held = blocks(1, 10);
    const service = blocksService((_, name) => {
      if (name === held[0].name) return held[0];
      throw new SublaceError('FENCED', 'lease: expected token 5, got 4');
    });
    const server = await serve({ services: [service] });
    const client = createBlocksClient(`127.0.0.1:${server.port}`);
    cleanups.push(() => client.close());
    const got: string[] = [];
    const pull = (async () => {
      for await (const block of client.pullBlocks(lease, ['ggn/0/0', 'gone'])) got.push(block.name);
    })();
    await expect(pull).rejects.toMatchObject({ code: 'FENCED', message: 'lease: expected token 5, got 4' });
    expect(got).toEqual(['ggn/0/0']);
  });

  it('says UNAVAILABLE when nobody is there', async () => {
    const client = createBlocksClient('127.0.0.1:1');
    cleanups.push(() => client.close());
    const pull = (async () => {
      for await (const _block of client.pullBlocks(lease, ['a'])) expect.unreachable();
    })();
    await expect(pull).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('Coordinator calls', () => {
  it('carry specs, tasks and errors both ways', async () => {
    const spec = { output: '/tmp/out', data: 'mnist', nested: { list: [1, 2.5, 'ä', null] } };
    const server = await serveCoordinator({
      submitJob: async ({ specJson }) => {
        expect(JSON.parse(specJson)).toEqual(spec);
        return { jobId: 'job-1' };
      },
      claimShard: async () => ({
        task: {
          lease,
          attempt: 2,
          leaseDurationMs: 500,
          specJson: JSON.stringify(spec),
          planJson: '{"shards":[1]}',
          inputs: [{ address: '', names: ['indices/0'] }],
          traceparent: '00-a-b-01',
        },
      }),
      cancelJob: async ({ jobId }) => {
        throw new SublaceError('NOT_FOUND', `job ${jobId}: expected a known job,\ngot none – ü`);
      },
    });
    const client = createCoordinatorClient(`127.0.0.1:${server.port}`);
    const worker = createWorkerClient(`127.0.0.1:${server.port}`);
    cleanups.push(
      () => client.close(),
      () => worker.close(),
    );
    expect(await client.submitJob(spec)).toBe('job-1');
    expect(await worker.claimShard('w', 100)).toEqual({
      lease,
      attempt: 2,
      leaseDurationMs: 500,
      spec,
      plan: { shards: [1] },
      inputs: [{ names: ['indices/0'] }],
      reducers: [],
      traceparent: '00-a-b-01',
    });
    await expect(client.cancelJob('x')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'job x: expected a known job, got none – ü' });
  });

  it('end a watch after the last event, with failure and result as they were', async () => {
    const base = {
      jobId: 'a',
      shardsDone: 1,
      shardsTotal: 2,
      examplesDone: 0.5,
      examplesTotal: 10,
      workerCount: 1,
      message: '',
      waitsFor: '',
      atMs: 1,
      phases: [],
    };
    const server = await serveCoordinator({
      watchJob: async function* () {
        yield { ...base, state: 'running', phase: 'score' };
        yield { ...base, state: 'succeeded', phase: 'finalise', resultJson: '{"digest":"ab"}' };
        yield { ...base, state: 'failed', phase: 'score', failure: { code: 'DATA_INVALID', message: 'row 3', phase: 'score', shard: 0 } };
      },
    });
    const client = createCoordinatorClient(`127.0.0.1:${server.port}`);
    cleanups.push(() => client.close());
    const events: ProgressEvent[] = [];
    for await (const event of client.watchJob('a')) events.push(event);
    expect(events.map((event) => [event.state, event.result, event.failure])).toEqual([
      ['running', undefined, undefined],
      ['succeeded', { digest: 'ab' }, undefined],
      ['failed', undefined, { code: 'DATA_INVALID', message: 'row 3', phase: 'score', shard: 0 }],
    ]);
  });

  it('tell a handler when its caller is gone', async () => {
    let gone: (() => void) | undefined;
    const wasTold = new Promise<void>((resolve) => (gone = resolve));
    const server = await serveCoordinator({
      attend: async function* (_request, { signal }) {
        yield { leaseDurationMs: 5 };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        gone!();
      },
    });
    const worker = createWorkerClient(`127.0.0.1:${server.port}`);
    const abort = new AbortController();
    await worker.attend('w', () => abort.abort(), abort.signal);
    await wasTold;
    worker.close();
  });

  it('reach a deadline instead of waiting for ever', async () => {
    const server = await serveCoordinator({ listJobs: () => new Promise(() => undefined) });
    const client = createCoordinatorClient(`127.0.0.1:${server.port}`, { timeoutMs: 50 });
    cleanups.push(() => client.close());
    await expect(client.listJobs()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

describe('a server', () => {
  it('asks for its token', async () => {
    const server = await serveCoordinator({ listJobs: async () => ({ jobs: [] }) }, 'secret');
    for (const [token, outcome] of [
      ['secret', 'ok'],
      ['Secret', 'UNAUTHENTICATED'],
      [undefined, 'UNAUTHENTICATED'],
    ] as const) {
      const client = createCoordinatorClient(`127.0.0.1:${server.port}`, { token });
      cleanups.push(() => client.close());
      expect(
        await client.listJobs().then(
          () => 'ok',
          (error: unknown) => SublaceError.from(error).code,
        ),
      ).toBe(outcome);
    }
  });

  it('refuses to be reachable from elsewhere without one, and a port in use', async () => {
    await expect(startServer({ host: '0.0.0.0', services: [] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { port } = await serveCoordinator({});
    await expect(startServer({ port, services: [] })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });
});
