import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** Files of one certificate. */
export interface IssuedCertificate {
  /** Paths of PEM files. */
  cert: string;
  key: string;
}

/** How a certificate is made. */
export interface IssueOptions {
  /** Host names in it; `localhost` when left out. 127.0.0.1 and ::1 come with `localhost`. */
  hosts?: string[];
  /** First and last moment at which it is valid; from yesterday for a week when left out. */
  validFrom?: Date;
  validTo?: Date;
}

/** A certificate authority of a test. */
export interface TestAuthority {
  /** Path of its own certificate, PEM. */
  ca: string;
  /** Issues a certificate for servers and clients. */
  issue(name: string, options?: IssueOptions): Promise<IssuedCertificate>;
}

const DAY_MS = 24 * 3_600_000;

/**
 * Makes a certificate authority with a fresh key on an elliptic curve.
 *
 * @param folder  Where its files go; made when missing.
 * @param name  Its name, also that of its files.
 * @returns  The authority.
 */
export async function createAuthority(folder: string, name = 'authority'): Promise<TestAuthority> {
  await mkdir(folder, { recursive: true });
  const common = { keyType: 'ec', algorithm: 'sha256' } as const;
  const own = await generate([{ name: 'commonName', value: name }], {
    ...common,
    ...lifetime({}),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = join(folder, `${name}.pem`);
  await writeFile(ca, own.cert);
  return {
    ca,
    async issue(subject, options = {}) {
      const { hosts = ['localhost'] } = options;
      const addresses = hosts.includes('localhost') ? ['127.0.0.1', '::1'] : [];
      const issued = await generate([{ name: 'commonName', value: subject }], {
        ...common,
        ...lifetime(options),
        ca: { key: own.private, cert: own.cert },
        extensions: [
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          {
            name: 'subjectAltName',
            altNames: [...hosts.map((value) => ({ type: 2 as const, value })), ...addresses.map((ip) => ({ type: 7 as const, ip }))],
          },
        ],
      });
      const files = { cert: join(folder, `${subject}.pem`), key: join(folder, `${subject}-key.pem`) };
      await writeFile(files.cert, issued.cert);
      await writeFile(files.key, issued.private, { mode: 0o600 });
      return files;
    },
  };
}

function lifetime({ validFrom, validTo }: IssueOptions): { notBeforeDate: Date; notAfterDate: Date } {
  return { notBeforeDate: validFrom ?? new Date(Date.now() - DAY_MS), notAfterDate: validTo ?? new Date(Date.now() + 7 * DAY_MS) };
}
