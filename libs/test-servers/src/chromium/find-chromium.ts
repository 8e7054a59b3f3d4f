import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../install/find-program.ts';
import { installOnce } from '../install/install-once.ts';
import { runProgram } from '../install/run-program.ts';
import { debianChromium } from './debian-chromium.ts';

/** A browser that can be started, by playwright-core's `launch({ executablePath, env })`. */
export interface ChromiumProgram {
  executablePath: string;
  /** All of its environment. */
  env: Record<string, string>;
}

/**
 * Finds Chromium, or brings one without touching the system: `SUBLACE_CHROMIUM`, else chromium or Chrome on the PATH, else the user's cache,
 * which is filled at the first call (about 350 MB unpacked, a minute).
 *
 * @returns  How to start it.
 * @throws Error with one line that says what was tried.
 */
export async function findChromium(): Promise<ChromiumProgram> {
  const named = process.env.SUBLACE_CHROMIUM;
  if (named !== undefined && !existsSync(named))
    throw new Error(`SUBLACE_CHROMIUM: expected the path of Chromium, got '${named}', which does not exist`);
  const executablePath = named ?? findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
  if (executablePath !== undefined) return { executablePath, env: environmentWith({}) };
  try {
    return programIn(await installOnce('chromium', [{ ...debianChromium, install: installAndTry }]));
  } catch (error) {
    throw new Error(
      `needs Chromium: expected chromium or google-chrome on the PATH, got none, and it could not be installed (${(error as Error).message}); ` +
        'install it, or set SUBLACE_CHROMIUM to its path',
      { cause: error },
    );
  }
}

async function installAndTry(folder: string): Promise<void> {
  await debianChromium.install(folder);
  const { executablePath, env } = programIn(folder);
  await runProgram(executablePath, ['--version'], { env });
}

function programIn(folder: string): ChromiumProgram {
  const env = environmentWith({ LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') });
  return { executablePath: join(folder, 'chromium', 'chromium'), env };
}

function environmentWith(more: Record<string, string>): Record<string, string> {
  const own = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(own), ...more };
}
