import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a command did. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const sources = fileURLToPath(new URL('../../../cli/bin/sublace.mjs', import.meta.url));

/**
 * Starts the command line as a process of its own.
 *
 * @param args  Arguments after `sublace`.
 * @param entry  Another main module, such as the bundle.
 * @returns  The process, its output in pipes.
 */
export function startSublace(args: readonly string[], entry = sources): ChildProcess {
  return spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Runs the command line to its end.
 *
 * @param args  Arguments after `sublace`.
 * @param entry  Another main module, such as the bundle.
 * @returns  Exit code and output.
 */
export async function runSublace(args: readonly string[], entry = sources): Promise<CommandResult> {
  const child = startSublace(args, entry);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text) => (stdout += String(text)));
  child.stderr?.on('data', (text) => (stderr += String(text)));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { status, stdout, stderr };
}
