import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../install/free-port.ts';
import { findRedisServer, type RedisProgram } from './find-redis-server.ts';

/** How a Redis server is started. */
export interface StartRedisOptions {
  /** Port on loopback; a free one when absent. */
  port?: number;
  /** Existing folder for its data; a temporary one, removed by stop(), when absent. */
  dir?: string;
  /** Whether it writes an append-only file, synced every second; true when absent. */
  appendonly?: boolean;
  /** Password that clients must give; none when absent. */
  password?: string;
  /** More lines of configuration, each as words: `[['maxmemory-policy', 'allkeys-lru']]`. */
  config?: readonly (readonly string[])[];
}

/** A Redis server that runs. */
export interface RedisServer {
  /** redis://127.0.0.1:PORT, with the password if there is one. */
  readonly url: string;
  readonly port: number;
  /** Folder of its data. */
  readonly dir: string;
  /** Process id; changes with restart(). */
  readonly pid: number;
  /** Ends it as `kill -9` does. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, after kill() or a crash; one that runs is ended politely first. */
  restart(): Promise<void>;
  /** Ends it and removes a temporary folder. */
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 30_000;
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a real Redis server, installing one first where there is none (see `findRedisServer`).
 *
 * @param options  Port, folder, persistence.
 * @returns  The server, which answers; the caller stops it.
 * @throws Error with one line when there is no server or it does not start.
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const program = await findRedisServer();
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'sublace-redis-'));
  const removeFolder = (): void => {
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  let port = options.port ?? (await freePort());
  let child: ChildProcess;
  for (let attempt = 1; ; attempt++) {
    try {
      child = await start(program, port, dir, options);
      break;
    } catch (error) {
      // Between choosing a free port and using it, another process may have taken it.
      if (options.port === undefined && attempt < 5 && String(error).includes('Address already in use')) port = await freePort();
      else {
        removeFolder();
        throw error;
      }
    }
  }
  return {
    url: `redis://${options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`}127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child.pid!;
    },
    kill: () => end(child, 'SIGKILL'),
    async restart() {
      await end(child, 'SIGTERM');
      child = await start(program, port, dir, options);
    },
    async stop() {
      await end(child, 'SIGTERM');
      removeFolder();
    },
  };
}

async function start({ command, env }: RedisProgram, port: number, dir: string, options: StartRedisOptions): Promise<ChildProcess> {
  const settings = [
    ['port', String(port)],
    ['bind', '127.0.0.1'],
    ['dir', dir],
    ['save', ''],
    ['appendonly', options.appendonly === false ? 'no' : 'yes'],
    ['appendfsync', 'everysec'],
    ...(options.password === undefined ? [] : [['requirepass', options.password]]),
    ...(options.config ?? []),
  ];
  const args = settings.flatMap(([name, ...values]) => [`--${name}`, ...values]);
  const child = spawn(command, args, { cwd: dir, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
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

  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    if (spawnError) throw new Error(`${command}: ${spawnError.message}`, { cause: spawnError });
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${command} on port ${port}: expected it to start, got its end: ${log.trim().split('\n').slice(-3).join(' / ')}`);
    // Ready is what the server itself says: it may answer before its data are loaded, and another server may answer on its port.
    if (log.includes('Ready to accept connections') && (await accepts(port))) return child;
    if (Date.now() > deadline) {
      await end(child, 'SIGKILL');
      throw new Error(`${command} on port ${port}: expected it to be ready within ${START_DEADLINE_MS} ms`);
    }
    await pause(20);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  // One that a spec has stopped would not hear it.
  child.kill('SIGCONT');
  await gone;
}
