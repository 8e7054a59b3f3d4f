import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../install/find-program.ts';
import { installOnce } from '../install/install-once.ts';
import { runProgram } from '../install/run-program.ts';
import { debianPackages } from './debian-packages.ts';
import { pythonSources, pythonWheel } from './python-package.ts';

/** A Redis server that can be started. */
export interface RedisProgram {
  command: string;
  /** Environment that it needs beyond this process's. */
  env: NodeJS.ProcessEnv;
}

/**
 * Finds a Redis server, or brings one without touching the system: `SUBLACE_REDIS_SERVER`, else redis-server or valkey-server on the PATH,
 * else the user's cache, which is filled at the first call.
 *
 * @returns  How to start it.
 * @throws Error with one line that says what was tried.
 */
export async function findRedisServer(): Promise<RedisProgram> {
  const named = process.env.SUBLACE_REDIS_SERVER;
  if (named !== undefined && !existsSync(named))
    throw new Error(`SUBLACE_REDIS_SERVER: expected the path of a Redis server, got '${named}', which does not exist`);
  const command = named ?? findProgram('redis-server', 'valkey-server');
  if (command !== undefined) return { command, env: {} };
  try {
    const ways = [debianPackages, pythonWheel, pythonSources].map(({ name, install }) => ({
      name,
      install: async (folder: string) => {
        await install(folder);
        const { command, env } = programIn(folder);
        await runProgram(command, ['--version'], { env: { ...process.env, ...env } });
      },
    }));
    return programIn(await installOnce('redis-server', ways));
  } catch (error) {
    throw new Error(
      `tests need a Redis server: expected redis-server or valkey-server on the PATH, got none, and it could not be installed ` +
        `(${(error as Error).message}); install it, or set SUBLACE_REDIS_SERVER to its path`,
      { cause: error },
    );
  }
}

function programIn(folder: string): RedisProgram {
  return { command: join(folder, 'bin', 'redis-server'), env: { LD_LIBRARY_PATH: join(folder, 'lib') } };
}
