import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SublaceError } from '@sublace/errors';
import { createAuthority, type IssuedCertificate, type TestAuthority } from '@sublace/test-servers';
import {
  blocksService,
  createBlocksClient,
  createCoordinatorClient,
  createWorkerClient,
  implement,
  readTls,
  readToken,
  services,
  startServer,
  type HandlersOf,
  type Security,
} from './index.ts';

let folder: string;
let authority: TestAuthority;
let stranger: TestAuthority;
let server: IssuedCertificate;
let client: IssuedCertificate;
let strange: IssuedCertificate;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sublace-security-'));
  [authority, stranger] = await Promise.all([createAuthority(folder, 'ours'), createAuthority(folder, 'theirs')]);
  [server, client, strange] = await Promise.all([authority.issue('server'), authority.issue('client'), stranger.issue('strange')]);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A coordinator that has no jobs. */
async function serve(security: Security): Promise<string> {
  const handlers = { listJobs: async () => ({ jobs: [] }) } as unknown as HandlersOf<typeof services.Coordinator.service>;
  const blocks = blocksService((_, name) => ({ name, shape: [1], data: Float32Array.of(7) }));
  const running = await startServer({ ...security, services: [implement(services.Coordinator.service, handlers), blocks] });
  cleanups.push(() => running.close(0));
  return `127.0.0.1:${running.port}`;
}

/** What a call comes to: `ok`, or code and message. */
async function call(address: string, security: Security): Promise<string> {
  const caller = createCoordinatorClient(address, { ...security, timeoutMs: 5000 });
  cleanups.push(() => caller.close());
  return caller.listJobs().then(
    () => 'ok',
    (error: unknown) => `${SublaceError.from(error).code} ${SublaceError.from(error).message}`,
  );
}

const withTls = (files: Parameters<typeof readTls>[0]): Security => ({ tls: readTls(files) });
const trusting = () => withTls({ ca: authority.ca });

describe('TLS', () => {
  it('carries calls and blocks, by number and by name, from all three kinds of clients', async () => {
    const address = await serve(withTls({ ca: authority.ca, ...server }));
    expect(await call(address, trusting())).toBe('ok');
    expect(await call(`dns:///localhost:${address.split(':')[1]}`, trusting())).toBe('ok');
    const blocks = createBlocksClient(address, trusting());
    cleanups.push(() => blocks.close());
    const got = [];
    for await (const block of blocks.pullBlocks({ jobId: 'j', phase: 'score', shard: 0, leaseToken: 1 }, ['score/a/0']))
      got.push(block.name);
    expect(got).toEqual(['score/a/0']);
  });

  it('with client certificates lets in who has one of the authority, and says to others what to do', async () => {
    const address = await serve(withTls({ ca: authority.ca, ...server, requireClientCertificate: true }));
    expect(await call(address, withTls({ ca: authority.ca, ...client }))).toBe('ok');
    expect(await call(address, trusting())).toMatch(
      /^UNAUTHENTICATED 127.0.0.1:\d+: expected to be let in, got .*client certificate; set --tls-cert/,
    );
    expect(await call(address, withTls({ ca: authority.ca, ...strange }))).toMatch(
      /^UNAUTHENTICATED .*with this certificate, got refused; use one/,
    );
  });

  it('asks for the token as well', async () => {
    const address = await serve({ ...withTls({ ca: authority.ca, ...server }), token: 'secret' });
    expect(await call(address, { ...trusting(), token: 'secret' })).toBe('ok');
    expect(await call(address, trusting())).toMatch(/^UNAUTHENTICATED .*expected the token of this cluster, got none/);
    expect(await call(address, { ...trusting(), token: 'public' })).toMatch(/^UNAUTHENTICATED .*got another one/);
  });

  it.each<[string, () => [Security, Security], RegExp]>([
    [
      'another authority',
      () => [withTls({ ca: authority.ca, ...server }), withTls({ ca: stranger.ca })],
      /authority in --tls-ca, got one of another/,
    ],
    [
      'another name',
      () => [withTls({ ca: authority.ca, ...server }), withTls({ ca: authority.ca, serverName: 'elsewhere' })],
      /certificate for elsewhere, got one for DNS:localhost/,
    ],
    ['plaintext here', () => [withTls({ ca: authority.ca, ...server }), {}], /expected plaintext, got TLS; set --tls-ca/],
    ['plaintext there', () => [{}, trusting()], /expected TLS, got plaintext; give the process there --tls-cert/],
  ])('says in one line, as a fault that no waiting mends: %s', async (_, securities, message) => {
    const [theirs, ours] = securities();
    const outcome = await call(await serve(theirs), ours);
    expect(outcome).toMatch(message);
    expect(outcome).toMatch(/^UNAUTHENTICATED 127.0.0.1:\d+: [^\n]*$/);
  });

  it('says so for streams too', async () => {
    const address = await serve(withTls({ ca: authority.ca, ...server }));
    const worker = createWorkerClient(address, {});
    const blocks = createBlocksClient(address, {});
    cleanups.push(
      () => worker.close(),
      () => blocks.close(),
    );
    await expect(worker.attend('w', () => undefined, new AbortController().signal)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const pull = blocks.pullBlocks({ jobId: 'j', phase: 'score', shard: 0, leaseToken: 1 }, ['a'])[Symbol.asyncIterator]();
    await expect(pull.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('does not blame certificates when nobody is there, or somebody hangs up', async () => {
    expect(await call('127.0.0.1:1', trusting())).toMatch(/^UNAVAILABLE .*ECONNREFUSED/);
    const mute = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    cleanups.push(() => mute.close());
    await new Promise((resolve) => mute.once('listening', resolve));
    const { port } = mute.address() as { port: number };
    expect(await call(`127.0.0.1:${port}`, trusting())).toMatch(/^UNAVAILABLE/);
    expect(await call(`127.0.0.1:${port}`, {})).toMatch(/^UNAVAILABLE/);
  });

  it('needs a certificate to listen with', async () => {
    await expect(startServer({ ...trusting(), services: [] })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('readTls', () => {
  const code = (act: () => unknown): string => {
    try {
      act();
      return 'ok';
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
      return `${SublaceError.from(error).code} ${SublaceError.from(error).message}`;
    }
  };

  it('is plaintext when nothing is asked for, and the system authorities by name', () => {
    expect(readTls({})).toBeUndefined();
    expect(readTls({ ca: 'system' })?.ca.toString()).toContain('BEGIN CERTIFICATE');
  });

  it('names files that are missing, are something else, or do not go together', () => {
    const { ca } = authority;
    expect(code(() => readTls({ ca: join(folder, 'absent.pem') }))).toMatch(
      /^INVALID_ARGUMENT --tls-ca .*absent.pem: expected a file .*ENOENT/,
    );
    expect(code(() => readTls({ ca, cert: server.key, key: server.key }))).toMatch(
      /--tls-cert .*expected a certificate in PEM, got a private key/,
    );
    expect(code(() => readTls({ ca, cert: server.cert, key: server.cert }))).toMatch(/--tls-key .*expected a private key in PEM/);
    expect(code(() => readTls({ ca, cert: server.cert, key: client.key }))).toMatch(
      /--tls-key .*expected the key of the certificate .*CN=server.*got another/,
    );
    expect(code(() => readTls({ ca, cert: server.cert }))).toMatch(/^USAGE --tls-cert: expected --tls-key/);
    expect(code(() => readTls(server))).toMatch(/^USAGE --tls-cert: expected --tls-ca/);
    expect(code(() => readTls({ requireClientCertificate: true }))).toMatch(/^USAGE --tls-client-auth/);
  });

  it('refuses a certificate outside its dates', async () => {
    const day = 24 * 3_600_000;
    const old = await authority.issue('old', { validFrom: new Date(Date.now() - 2 * day), validTo: new Date(Date.now() - day) });
    const young = await authority.issue('young', { validFrom: new Date(Date.now() + day), validTo: new Date(Date.now() + 2 * day) });
    expect(code(() => readTls({ ca: authority.ca, ...old }))).toMatch(/^INVALID_ARGUMENT .*CN=old.*has expired; renew it/);
    expect(code(() => readTls({ ca: authority.ca, ...young }))).toMatch(/^INVALID_ARGUMENT .*CN=young.*not valid yet/);
    // A server that was started in time, and whose certificate has expired since.
    const tls = { ca: readFileSync(authority.ca), cert: readFileSync(old.cert), key: readFileSync(old.key) };
    expect(await call(await serve({ tls }), trusting())).toMatch(/^UNAUTHENTICATED .*valid now, got one that has expired/);
  });
});

describe('readToken', () => {
  it('takes a file before the environment, without the line end', () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'from-file\n');
    expect(readToken(file, 'from-environment')).toBe('from-file');
    expect(readToken(undefined, 'from-environment')).toBe('from-environment');
    expect(readToken(undefined, undefined)).toBeUndefined();
  });

  it('refuses what could not be sent', () => {
    const file = join(folder, 'token');
    writeFileSync(file, '\n');
    for (const act of [
      () => readToken(file, undefined),
      () => readToken(undefined, 'two words'),
      () => readToken(undefined, 'naïve-token'),
      () => readToken(join(folder, 'absent'), 'x'),
    ]) {
      expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
