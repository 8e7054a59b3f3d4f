/** Clusters with token and certificates, and how processes end that have the wrong ones. */
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import {
  createCoordinatorClient,
  implement,
  readTls,
  services,
  startServer,
  type CoordinatorClient,
  type HandlersOf,
  type ProgressEvent,
} from '@sublace/protocol';
import { createAuthority, type IssuedCertificate, type TestAuthority } from '@sublace/test-servers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, RUNNER, type RoleProcess } from './distribution/cluster.ts';
import { SPEC_DEFAULTS } from './distribution/synthetic-runner.ts';

const TOKEN = 'a-token-of-this-test';

let cluster: Cluster;
let authority: TestAuthority;
let ours: IssuedCertificate;
let client: CoordinatorClient;

/** Certificates by variable, as a supervisor would set them. */
function tlsOf({ cert, key }: IssuedCertificate, ca = authority.ca): Record<string, string> {
  return { SUBLACE_TLS_CERT: cert, SUBLACE_TLS_KEY: key, SUBLACE_TLS_CA: ca };
}

/** Environment of a process that belongs to the cluster. */
function member(): Record<string, string> {
  return { SUBLACE_TOKEN: TOKEN, ...tlsOf(ours) };
}

function startWorker(env: Record<string, string>, ...args: string[]): Promise<RoleProcess> {
  const address = `dns:///localhost:${cluster.coordinator.ready.address.split(':')[1]}`;
  return cluster.start('worker', ['--coordinator', address, '--runner', RUNNER, ...args], { env });
}

async function finish(jobId: string): Promise<ProgressEvent | undefined> {
  let last: ProgressEvent | undefined;
  for await (const event of client.watchJob(jobId)) last = event;
  return last;
}

const submit = (): Promise<string> => client.submitJob({ ...SPEC_DEFAULTS, output: cluster.output });

beforeEach(async () => {
  cluster = new Cluster();
  authority = await createAuthority(join(cluster.folder, 'tls'));
  ours = await authority.issue('member');
});
afterEach(async () => {
  client?.close();
  await cluster.dispose();
});

async function startCoordinator(...args: string[]): Promise<void> {
  cluster.startOptions = { env: member() };
  await cluster.startCoordinator('--tls-client-auth', ...args);
  client = createCoordinatorClient(cluster.coordinator.ready.address, { token: TOKEN, tls: readTls({ ca: authority.ca, ...ours }) });
}

describe('a cluster with token and client certificates', () => {
  it('fits, with workers that find the coordinator by name, and reducers', { timeout: 180_000 }, async () => {
    await startCoordinator('--reducers', '2');
    for (let i = 0; i < 2; i++) await cluster.start('reducer', ['--coordinator', cluster.coordinator.ready.address], { env: member() });
    for (let i = 0; i < 2; i++) await startWorker(member());
    const last = await finish(await submit());
    expect([last?.state, last?.failure]).toEqual(['succeeded', undefined]);
  });

  it('goes on when a worker is refused: that one ends with 42, and another one does its shards', { timeout: 180_000 }, async () => {
    await startCoordinator();
    // It may call, but nobody finds its name in its certificate.
    const elsewhere = await authority.issue('elsewhere', { hosts: ['elsewhere'] });
    const refused = await startWorker({ SUBLACE_TOKEN: TOKEN, ...tlsOf(elsewhere) });
    const jobId = await submit();
    expect(await refused.exit).toEqual({ status: 42, signal: null });
    expect(refused.log()).toMatch(/sublace: .*expected a certificate for 127\.0\.0\.1, got one for DNS:elsewhere/);
    await startWorker(member());
    expect((await finish(jobId))?.state).toBe('succeeded');
  });

  it.each<[string, () => Promise<Record<string, string>>, RegExp]>([
    ['no token', async () => tlsOf(ours), /expected the token of this cluster, got none/],
    ['another token', async () => ({ ...tlsOf(ours), SUBLACE_TOKEN: 'other' }), /got another one/],
    [
      'no certificate',
      async () => ({ SUBLACE_TOKEN: TOKEN, SUBLACE_TLS_CA: authority.ca }),
      /expected a certificate and its key, got none/,
    ],
    ['plaintext', async () => ({ SUBLACE_TOKEN: TOKEN }), /expected plaintext, got TLS/],
    [
      'another authority',
      async () => {
        const other = await createAuthority(join(cluster.folder, 'tls'), 'other');
        return { SUBLACE_TOKEN: TOKEN, ...tlsOf(await other.issue('stranger'), other.ca) };
      },
      /authority in --tls-ca, got one of another/,
    ],
  ])('ends workers and reducers at once, with 42 and one line, that have %s', { timeout: 120_000 }, async (_, makeEnv, message) => {
    await startCoordinator('--reducers', '1');
    const env = await makeEnv();
    for (const role of ['worker', 'reducer']) {
      const args = ['--coordinator', cluster.coordinator.ready.address, ...(role === 'worker' ? ['--runner', RUNNER] : [])];
      // Some end before they are ready, some after it.
      await cluster.start(role, args, { env }).catch(() => undefined);
      const process = cluster.processes.at(-1)!;
      const { status } = await process.exit;
      const lines = process
        .log()
        .split('\n')
        .filter((line) => line.startsWith('sublace: '));
      expect([role, lines.length, lines[0]]).toEqual([role, 1, expect.stringMatching(message)]);
      // Settings that do not go together are a usage error; what the others say of them is one that no retry mends.
      expect([2, 42]).toContain(status);
    }
  });
});

describe('a worker of another version', () => {
  it('ends at once with 42', { timeout: 60_000 }, async () => {
    // What such a coordinator would answer; admission.spec.ts shows that it does.
    const refuse = async function* (): AsyncGenerator<never> {
      throw await Promise.resolve(new SublaceError('INVALID_ARGUMENT', 'call: expected protocol version 2, got 1'));
    };
    const handlers = { attend: refuse } as unknown as HandlersOf<typeof services.Coordinator.service>;
    const server = await startServer({ services: [implement(services.Coordinator.service, handlers)] });
    try {
      const worker = await cluster.start('worker', ['--coordinator', `127.0.0.1:${server.port}`, '--runner', RUNNER]);
      expect(await worker.exit).toEqual({ status: 42, signal: null });
      expect(worker.log()).toMatch(/sublace: call: expected protocol version 2, got 1/);
    } finally {
      await server.close(0);
    }
  });
});

describe('a coordinator', () => {
  it.each<[string, (args: IssuedCertificate) => string[], number, RegExp]>([
    [
      'a certificate that is not there',
      () => ['--tls-cert', '/absent.pem', '--tls-key', '/absent.pem', '--tls-ca', authority.ca],
      42,
      /--tls-cert .*ENOENT/,
    ],
    [
      'a key of its own',
      ({ cert }) => ['--tls-cert', cert, '--tls-key', authority.ca, '--tls-ca', authority.ca],
      42,
      /--tls-key .*expected a private key/,
    ],
    ['a certificate without authority', ({ cert, key }) => ['--tls-cert', cert, '--tls-key', key], 2, /expected --tls-ca/],
    ['an address elsewhere without a token', () => ['--host', '0.0.0.0'], 42, /expected a token when not on loopback/],
  ])('with %s ends in one line', { timeout: 60_000 }, async (_, argsOf, status, message) => {
    const error = await cluster.startCoordinator(...argsOf(ours)).catch((thrown: unknown) => thrown as Error & { status: number });
    expect([(error as { status: number }).status, (error as Error).message]).toEqual([status, expect.stringMatching(message)]);
  });
});

describe('a worker that is asked to end', () => {
  it('ends with 0 in good time while the coordinator hangs', { timeout: 120_000 }, async () => {
    await startCoordinator();
    const worker = await startWorker(member());
    const jobId = await client.submitJob({ ...SPEC_DEFAULTS, output: cluster.output, pauseMs: 5000 });
    await untilLeased(jobId, 'score');
    cluster.coordinator.child.kill('SIGSTOP');
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toEqual({ status: 0, signal: null });
    cluster.coordinator.child.kill('SIGCONT');
  });

  it.each(['accumulate', 'finalise'])('hands its task of %s to the next one', { timeout: 180_000 }, async (phase) => {
    await startCoordinator();
    const worker = await startWorker(member());
    const jobId = await client.submitJob({ ...SPEC_DEFAULTS, output: cluster.output, pauseMs: 300 });
    await untilLeased(jobId, phase);
    worker.child.kill('SIGTERM');
    expect(await worker.exit).toEqual({ status: 0, signal: null });
    await startWorker(member());
    expect((await finish(jobId))?.state).toBe('succeeded');
  });
});

async function untilLeased(jobId: string, phase: string): Promise<void> {
  for await (const { message } of client.watchJob(jobId)) if (message.startsWith(`${phase} shard`) && message.includes('is leased')) return;
}
