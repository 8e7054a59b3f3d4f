import { createHash } from 'node:crypto';
import type { ServerOptions as HttpsOptions } from 'node:https';
import type { Server as TlsServer } from 'node:tls';
import { experimental, type ServerCredentials } from '@grpc/grpc-js';
import { SublaceError } from '@sublace/errors';
import { readTls, type Tls, type TlsFiles } from '@sublace/protocol';

type CertificateProvider = NonNullable<Parameters<typeof experimental.createCertificateProviderServerCredentials>[0]>;
type CaListener = Parameters<CertificateProvider['addCaCertificateListener']>[0];
type IdentityListener = Parameters<CertificateProvider['addIdentityCertificateListener']>[0];

/** Certificates of a process that listens. */
interface ServerTls extends Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificates of the server, for both protocols, read again when they have changed. Connections that are open keep theirs. */
export class Certificates {
  readonly #files: TlsFiles;
  readonly #servers: TlsServer[] = [];
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  #tls: ServerTls;

  /**
   * @param files  Certificate and key; the authorities of clients where they must have a certificate.
   * @throws SublaceError USAGE for settings that do not go together, INVALID_ARGUMENT for files that are not what they should be.
   */
  constructor(files: TlsFiles) {
    this.#files = files;
    this.#tls = this.#read();
  }

  /**
   * Reads the files again, and gives new connections what is in them.
   *
   * @returns  Whether they have changed.
   * @throws SublaceError INVALID_ARGUMENT as the constructor does; then the old ones stay.
   */
  reload(): boolean {
    const tls = this.#read();
    if (digestOf(tls) === digestOf(this.#tls)) return false;
    this.#tls = tls;
    for (const server of this.#servers) server.setSecureContext(contextOf(tls));
    for (const listener of this.#caListeners) listener({ caCertificate: tls.ca });
    for (const listener of this.#identityListeners) listener({ certificate: tls.cert, privateKey: tls.key });
    return true;
  }

  /** For the HTTPS server. */
  get httpsOptions(): HttpsOptions {
    const requireClient = this.#tls.requireClientCertificate ?? false;
    return { ...contextOf(this.#tls), requestCert: requireClient, rejectUnauthorized: requireClient };
  }

  /**
   * Keeps an HTTPS server up to date.
   *
   * @param server  Made with {@link httpsOptions}.
   */
  follow(server: TlsServer): void {
    this.#servers.push(server);
  }

  /** For the gRPC server, which keeps itself up to date by them. */
  get grpcCredentials(): ServerCredentials {
    // Not within the call that adds a listener: a server is told of certificates only once it is among those that are told.
    const provider: CertificateProvider = {
      addCaCertificateListener: (listener) => {
        this.#caListeners.add(listener);
        queueMicrotask(() => listener({ caCertificate: this.#tls.ca }));
      },
      removeCaCertificateListener: (listener) => void this.#caListeners.delete(listener),
      addIdentityCertificateListener: (listener) => {
        this.#identityListeners.add(listener);
        queueMicrotask(() => listener({ certificate: this.#tls.cert, privateKey: this.#tls.key }));
      },
      removeIdentityCertificateListener: (listener) => void this.#identityListeners.delete(listener),
    };
    // grpc-js 1.14 takes the identity first and the authorities second, whatever its parameters are called.
    const requireClient = this.#tls.requireClientCertificate ?? false;
    return experimental.createCertificateProviderServerCredentials(provider, requireClient ? provider : null, requireClient);
  }

  #read(): ServerTls {
    const { ca, requireClientCertificate = false } = this.#files;
    if (requireClientCertificate && ca === undefined) {
      throw new SublaceError('USAGE', '--tls-client-auth: expected --tls-ca beside it, got none; name the authority of the clients');
    }
    // Who only shows a certificate asks for none, and needs no authorities.
    const tls = readTls({ ...this.#files, ca: ca ?? 'system' });
    if (!tls?.cert || !tls.key) {
      throw new SublaceError(
        'USAGE',
        '--tls-ca: expected --tls-cert and --tls-key beside it, got none; a process that listens has its own',
      );
    }
    return { ...tls, cert: tls.cert, key: tls.key };
  }
}

function contextOf({ cert, key, ca, requireClientCertificate }: ServerTls): { cert: Buffer; key: Buffer; ca?: Buffer } {
  return { cert, key, ...(requireClientCertificate && { ca }) };
}

function digestOf({ cert, key, ca }: ServerTls): string {
  return createHash('sha256').update(cert).update(key).update(ca).digest('hex');
}
