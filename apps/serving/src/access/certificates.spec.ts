import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Server } from '@grpc/grpc-js';
import { createAuthority, type IssuedCertificate, type TestAuthority } from '@sublace/test-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Certificates } from './certificates.ts';

let folder: string;
let authority: TestAuthority;
let own: IssuedCertificate;
let next: IssuedCertificate;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sublace-certificates-'));
  authority = await createAuthority(folder);
  [own, next] = [await authority.issue('first'), await authority.issue('second')];
});
afterAll(() => rmSync(folder, { recursive: true }));

const files = (): { cert: string; key: string } => ({ cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') });
const put = ({ cert, key }: IssuedCertificate): void => {
  cpSync(cert, files().cert);
  cpSync(key, files().key);
};
beforeEach(() => put(own));

/** The name in the certificate that a server shows, or the error of the handshake. */
function seenBy(port: number, client: { cert?: Buffer; key?: Buffer } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'], ...client }, () => {
      const { CN = 'nobody' } = socket.getPeerCertificate().subject;
      // With TLS 1.3 a client learns only from its first read that it was refused.
      socket.once('data', () => done(CN.toString()));
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      setTimeout(() => done(CN.toString()), 10_000).unref();
    });
    const done = (what: string): void => {
      socket.destroy();
      resolve(what);
    };
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    socket.once('close', () => done('closed'));
  });
}

/** A server of each protocol. */
async function serve(certificates: Certificates): Promise<{ ports: number[]; close: () => void }> {
  const https = createServer(certificates.httpsOptions, (_request, response) => response.end());
  certificates.follow(https);
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  const grpc = new Server();
  const grpcPort = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', certificates.grpcCredentials, (error, port) => (error ? reject(error) : resolve(port))),
  );
  const close = (): void => {
    https.close();
    https.closeAllConnections();
    grpc.forceShutdown();
  };
  return { ports: [(https.address() as AddressInfo).port, grpcPort], close };
}

describe('Certificates', () => {
  it('are shown by both protocols, the new ones once they are read again', async () => {
    const certificates = new Certificates(files());
    const { ports, close } = await serve(certificates);
    expect(await Promise.all(ports.map((port) => seenBy(port)))).toEqual(['first', 'first']);
    expect(certificates.reload()).toBe(false);
    put(next);
    expect(certificates.reload()).toBe(true);
    expect(await Promise.all(ports.map((port) => seenBy(port)))).toEqual(['second', 'second']);
    close();
  });

  it('stay as they are when the new ones are no good', async () => {
    const certificates = new Certificates(files());
    const { ports, close } = await serve(certificates);
    cpSync(next.cert, files().cert); // the key is still that of the first
    expect(() => certificates.reload()).toThrow(/expected the key of the certificate/);
    writeFileSync(files().cert, 'half a certifi');
    expect(() => certificates.reload()).toThrow(/expected a certificate in PEM/);
    expect(await Promise.all(ports.map((port) => seenBy(port)))).toEqual(['first', 'first']);
    close();
  });

  it('ask clients for theirs, when told to', async () => {
    const { ports, close } = await serve(new Certificates({ ...files(), ca: authority.ca, requireClientCertificate: true }));
    for (const port of ports) expect(await seenBy(port)).not.toBe('first');
    const client = { cert: readFileSync(next.cert), key: readFileSync(next.key) };
    for (const port of ports) expect(await seenBy(port, client)).toBe('first');
    close();
  });

  it('refuse settings that do not go together', () => {
    expect(() => new Certificates({ cert: files().cert })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => new Certificates({ ...files(), requireClientCertificate: true })).toThrow(/--tls-client-auth: expected --tls-ca/);
    expect(() => new Certificates({ ca: authority.ca })).toThrow(/--tls-ca: expected --tls-cert and --tls-key/);
  });
});
