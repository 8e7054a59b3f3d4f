import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../install/free-port.ts';
import { installMoto } from './install-moto.ts';

/** How an S3 server is started. */
export interface StartS3Options {
  /** Port on loopback; a free one when absent. */
  port?: number;
  /** Buckets that it has from the start. Default one, `sublace-test`. */
  buckets?: readonly string[];
}

/** An S3 server that runs. What it holds is in its memory, and gone with it. */
export interface S3Server {
  /** http://127.0.0.1:PORT; buckets are the first part of a path there. */
  readonly endpoint: string;
  readonly port: number;
  /** Process id. */
  readonly pid: number;
  readonly accessKey: string;
  readonly secretKey: string;
  /** `AWS_ACCESS_KEY_ID` and what else a client takes from its environment, the endpoint included. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it. */
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 60_000;
const SCRIPT = fileURLToPath(new URL('serve.py', import.meta.url));
const [ACCESS_KEY, SECRET_KEY] = ['test-access-key', 'only-for-tests-on-loopback'];
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts an S3 server, installing it first where it is not (see `installMoto`). It refuses requests that its one user did not sign, and knows
 * multipart uploads, ranges and conditional writes.
 *
 * @param options  Port and buckets.
 * @returns  The server, which answers; the caller stops it.
 * @throws Error with one line when there is none or it does not start.
 */
export async function startS3(options: StartS3Options = {}): Promise<S3Server> {
  const { python, folder } = await installMoto();
  const { buckets = ['sublace-test'] } = options;
  const port = options.port ?? (await freePort());
  const child = spawn(python, [SCRIPT, String(port), ACCESS_KEY, SECRET_KEY, ...buckets], {
    env: { ...process.env, PYTHONPATH: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let log = '';
  const collect = (text: Buffer): void => {
    log = (log + text.toString()).slice(-4000);
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  let spawnError: Error | undefined;
  child.once('error', (error) => {
    spawnError = error;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };

  const deadline = Date.now() + START_DEADLINE_MS;
  while (!log.includes('ready on')) {
    if (spawnError) throw new Error(`${python}: ${spawnError.message}`, { cause: spawnError });
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`S3 server on port ${port}: expected it to start, got its end: ${log.trim().split('\n').slice(-3).join(' / ')}`);
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`S3 server on port ${port}: expected it to be ready within ${START_DEADLINE_MS} ms`);
    }
    await pause(20);
  }
  const endpoint = `http://127.0.0.1:${port}`;
  const env = {
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: endpoint,
    // No machine's own settings or metadata service shall answer for a test.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  return { endpoint, port, pid: child.pid!, accessKey: ACCESS_KEY, secretKey: SECRET_KEY, env, stop };
}
