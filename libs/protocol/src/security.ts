import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { SublaceError } from '@sublace/errors';

/** What protects the connections of a process: the same for everything that it calls and serves. */
export interface Security {
  /** Shared token of the cluster, sent with every call as `authorization: Bearer <token>`. Without one, nothing listens elsewhere than on loopback. */
  token?: string | undefined;
  /** Certificates; plaintext when absent. */
  tls?: Tls | undefined;
}

/** Certificates of a process, as PEM. */
export interface Tls {
  /** Authorities that the certificates of peers must come from. */
  ca: Buffer;
  /** Certificate of this process with its chain, and its key. A process that only calls may have none. */
  cert?: Buffer | undefined;
  key?: Buffer | undefined;
  /** Whether a server takes calls only from clients with a certificate of `ca`. */
  requireClientCertificate?: boolean | undefined;
  /** Name to expect in the certificates of servers, instead of the host that was called. */
  serverName?: string | undefined;
}

/** Where the certificates are. */
export interface TlsFiles {
  cert?: string | undefined;
  key?: string | undefined;
  /** A file, or `system`. The certificate itself, when it is its own authority, may stand here. */
  ca?: string | undefined;
  requireClientCertificate?: boolean | undefined;
  serverName?: string | undefined;
}

/** Longest token; far below what a header may have. */
const TOKEN_LENGTH_MAX = 4096;

/**
 * The shared token of a cluster.
 *
 * @param file  File that holds it; white space around it is cut.
 * @param text  The token itself, from the environment; counts when there is no file.
 * @returns  The token, undefined when there is none.
 * @throws SublaceError INVALID_ARGUMENT when the file cannot be read, or a token could not be sent.
 */
export function readToken(file: string | undefined, text: string | undefined): string | undefined {
  const token = file === undefined ? text : readPem('token file', file).toString('utf8').trim();
  if (token === undefined) return undefined;
  const where = file === undefined ? 'SUBLACE_TOKEN' : `token file ${file}`;
  if (!/^[\x21-\x7e]+$/.test(token) || token.length > TOKEN_LENGTH_MAX) {
    const got = token === '' ? 'nothing' : `${token.length} characters with others among them`;
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `${where}: expected up to ${TOKEN_LENGTH_MAX} printable ASCII characters without spaces, got ${got}`,
    );
  }
  return token;
}

/**
 * Certificates from files, checked before anything connects.
 *
 * @param files  Where they are. Plaintext is asked for by naming none.
 * @returns  The certificates, undefined for plaintext.
 * @throws SublaceError USAGE for settings that do not go together, INVALID_ARGUMENT for a file that cannot be read, is no certificate or key,
 *   a key of another certificate, or a certificate outside its dates.
 */
export function readTls(files: TlsFiles): Tls | undefined {
  const { cert: certFile, key: keyFile, ca: caFile, serverName, requireClientCertificate = false } = files;
  if (certFile === undefined && keyFile === undefined && caFile === undefined) {
    const extra = requireClientCertificate ? '--tls-client-auth' : serverName === undefined ? undefined : '--tls-server-name';
    if (extra === undefined) return undefined;
    throw new SublaceError('USAGE', `${extra}: expected certificates beside it, got none; set --tls-cert, --tls-key and --tls-ca`);
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [given, absent] = certFile === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key'];
    throw new SublaceError('USAGE', `${given}: expected ${absent} beside it, got none; a certificate and its key go together`);
  }
  if (caFile === undefined) {
    throw new SublaceError('USAGE', "--tls-cert: expected --tls-ca beside it, got none; name the authority of the cluster, or 'system'");
  }
  const ca = caFile === 'system' ? Buffer.from(rootCertificates.join('\n')) : readPem('--tls-ca', caFile);
  if (caFile !== 'system') checkDates('--tls-ca', caFile, certificateOf('--tls-ca', caFile, ca));
  const common = { ca, requireClientCertificate, ...(serverName !== undefined && { serverName }) };
  if (certFile === undefined || keyFile === undefined) return common;
  const cert = readPem('--tls-cert', certFile);
  const key = readPem('--tls-key', keyFile);
  const certificate = certificateOf('--tls-cert', certFile, cert);
  checkDates('--tls-cert', certFile, certificate);
  if (!certificate.checkPrivateKey(keyOf(keyFile, key))) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `--tls-key ${keyFile}: expected the key of the certificate in ${certFile} (${subjectOf(certificate)}), got another key`,
    );
  }
  return { ...common, cert, key };
}

function readPem(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SublaceError('INVALID_ARGUMENT', `${flag} ${file}: expected a file that can be read, got ${code}; check path and rights`, {
      cause: error,
    });
  }
}

/** The first certificate of a file. */
function certificateOf(flag: string, file: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    const got = pem.includes('PRIVATE KEY') ? 'a private key' : 'something else';
    throw new SublaceError('INVALID_ARGUMENT', `${flag} ${file}: expected a certificate in PEM, got ${got}`, { cause: error });
  }
}

function keyOf(file: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const got = pem.includes('ENCRYPTED') ? 'one that asks for a passphrase' : 'something else';
    throw new SublaceError('INVALID_ARGUMENT', `--tls-key ${file}: expected a private key in PEM without passphrase, got ${got}`, {
      cause: error,
    });
  }
}

function checkDates(flag: string, file: string, certificate: X509Certificate): void {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const now = new Date();
  if (from <= now && now <= to) return;
  const got = now > to ? 'one that has expired; renew it' : "one that is not valid yet; check this machine's clock";
  throw new SublaceError(
    'INVALID_ARGUMENT',
    `${flag} ${file}: expected a certificate valid on ${now.toISOString()}, got ${subjectOf(certificate)}, valid from ${from.toISOString()} to ${to.toISOString()}: ${got}`,
  );
}

function subjectOf(certificate: X509Certificate): string {
  return certificate.subject.replaceAll('\n', ', ') || 'one without a subject';
}
