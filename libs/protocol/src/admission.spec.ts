import { credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { HealthClient } from './testdata/health-client.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { implement, parseJsonObject, PROTOCOL_VERSION_KEY, services, startServer, type HandlersOf } from './index.ts';
import { checkRequest } from './request-limits.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(token?: string): Promise<{ address: string; seen: string[]; close(): Promise<void> }> {
  const seen: string[] = [];
  const handlers = {
    listJobs: async () => ({ jobs: [] }),
    cancelJob: async ({ jobId }: { jobId: string }) => {
      seen.push(jobId);
      return {};
    },
  };
  const coordinator = implement(services.Coordinator.service, handlers as unknown as HandlersOf<typeof services.Coordinator.service>);
  const server = await startServer({ token, services: [coordinator] });
  cleanups.push(() => server.close(0));
  return { address: `127.0.0.1:${server.port}`, seen, close: () => server.close(0) };
}

/** A call as any gRPC client makes it. */
async function call(address: string, jobId: string, headers: Record<string, string> = {}): Promise<string> {
  const client = new services.Coordinator(address, credentials.createInsecure());
  cleanups.push(() => client.close());
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return new Promise((resolve) => {
    client.cancelJob({ jobId }, metadata, { deadline: Date.now() + 5000 }, (error: ServiceError | null) =>
      resolve(error ? `${status[error.code]} ${error.details}` : 'ok'),
    );
  });
}

describe('a call', () => {
  it('of another version of the protocol is refused in one line; one that says none is a tool of somebody else', async () => {
    const { address } = await serve();
    expect(await call(address, 'job-1')).toBe('ok');
    expect(await call(address, 'job-1', { [PROTOCOL_VERSION_KEY]: '1' })).toBe('ok');
    expect(await call(address, 'job-1', { [PROTOCOL_VERSION_KEY]: '2' })).toMatch(
      /^INVALID_ARGUMENT call: expected protocol version 1, got 2; run the same version of sublace in the whole cluster$/,
    );
  });

  it('without the token never reaches a handler, whatever it says', async () => {
    const { address, seen } = await serve('secret');
    for (const authorization of ['', 'secret', 'Bearer', 'Bearer secret2', 'bearer secret', `Basic ${btoa('secret')}`]) {
      expect(await call(address, '../x', { authorization })).toMatch(/^UNAUTHENTICATED/);
    }
    expect(await call(address, 'job-1', { authorization: 'Bearer secret' })).toBe('ok');
    expect(seen).toEqual(['job-1']);
  });

  it('with a name that is none never reaches a handler', async () => {
    const { address, seen } = await serve();
    for (const jobId of ['../x', '/etc/passwd', 'a/b', 'a b', 'a\n', '\u0000', '..', 'x'.repeat(300)]) {
      expect(await call(address, jobId)).toMatch(
        /^INVALID_ARGUMENT jobId: expected at most 200 characters: letters, digits and dashes, got "/,
      );
    }
    expect(seen).toEqual([]);
  });
});

describe('a message', () => {
  it('larger than 8 MiB is refused before it is read, and the server goes on', async () => {
    const { address, seen } = await serve();
    expect(await call(address, 'x'.repeat(9 * 2 ** 20))).toMatch(/^RESOURCE_EXHAUSTED .*larger than max/);
    expect(await call(address, 'job-1')).toBe('ok');
    expect(seen).toEqual(['job-1']);
  });
});

describe('the health service', () => {
  it('answers probes without a token, for the process and for each service', async () => {
    const { address } = await serve('secret');
    const probe = new HealthClient(address);
    cleanups.push(() => probe.close());
    expect(await probe.check('')).toBe('SERVING');
    expect(await probe.check('sublace.v1.Coordinator')).toBe('SERVING');
    await expect(probe.check('sublace.v1.Other')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});

describe('checkRequest', () => {
  const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/^[^\n]+$/) as string }) as Error;

  it('lets pass what the processes of a cluster say', () => {
    for (const request of [
      {},
      null,
      { workerId: 'host-1.example-4711-ab12', waitMs: 20_000 },
      { lease: { jobId: 'job-0a1b', phase: 'score', shard: 1, leaseToken: 2 ** 40 }, done: 0.5, total: 10 },
      {
        lease: null,
        blocksAddress: '[::1]:50301',
        names: ['ggn/0/0', 'score/row-survey/0', 'indices/0'],
        summaryJson: '{"a":[1]}',
        computeSeconds: 1,
      },
      { reducerId: 'r', address: 'reducer-0.sublace.svc:50400', jobIds: ['job-1'], held: { slot: 0 } },
    ]) {
      expect(() => checkRequest(request)).not.toThrow();
    }
  });

  it.each([
    [{ workerId: '' }],
    [{ workerId: '..' }],
    [{ workerId: 'a/b' }],
    [{ lease: { jobId: '../../x' } }],
    [{ names: ['ggn/../../x'] }],
    [{ names: ['/etc/passwd'] }],
    [{ names: ['ggn//0'] }],
    [{ names: ['ggn/0/0\n'] }],
    [{ names: ['__proto__'] }],
    [{ names: Array.from({ length: 200_001 }, (_, i) => `a/${i}`) }],
    [{ blocksAddress: 'unix:/var/run/x.sock' }],
    [{ blocksAddress: 'dns:///x:1' }],
    [{ address: 'host' }],
    [{ summaryJson: `{"a":${'['.repeat(200)}${']'.repeat(200)}}` }],
    [{ specJson: `"${'x'.repeat(6 * 2 ** 20)}"` }],
    [{ message: 'x'.repeat(10_000) }],
    [{ done: NaN }],
    [{ computeSeconds: -1 }],
  ])('refuses %.60j', (request) => {
    expect(() => checkRequest(request)).toThrow(invalid);
  });

  it('throws nothing but INVALID_ARGUMENT, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('jobId', 'names', 'lease', 'specJson', 'workerId', 'done', 'jobIds', '__proto__'),
          fc.oneof(fc.string(), fc.double(), fc.array(fc.string())),
        ),
        (request) => {
          try {
            checkRequest(request);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
          }
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe('parseJsonObject', () => {
  it('gives objects, and refuses everything else, keys that reach a prototype among it', () => {
    expect(parseJsonObject('spec', '{"a":{"b":"}]"}}')).toEqual({ a: { b: '}]' } });
    for (const text of ['', '[]', 'null', '1', '{', '{"__proto__":{"x":1}}', '{"a":[{"\\u005f_proto__":1}]}', '['.repeat(1e6)]) {
      expect(() => parseJsonObject('spec', text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error);
    }
  });
});
