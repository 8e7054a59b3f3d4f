import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { nodeOptionsOf, type Role } from '@sublace/roles';
import { endWithParentEntry, roleEntry } from './roles.ts';

/**
 * Runs one role in the foreground: its options, its output, its exit code are those of this command.
 *
 * @param role  Which part.
 * @param args  Its own arguments.
 * @param onLine  Receives the lines of its standard output, which is otherwise passed on as it is.
 * @returns  Its exit code.
 */
export async function runRole(role: Role, args: readonly string[], onLine?: (line: string) => void): Promise<number> {
  const command = [...nodeOptionsOf(role), '--import', endWithParentEntry(), roleEntry(role), ...args];
  const child = spawn(process.execPath, command, { stdio: ['inherit', onLine ? 'pipe' : 'inherit', 'inherit', 'ipc'] });
  // A terminal sends Ctrl-C to both processes; this one waits for the other to end on its own terms.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.on('exit', () => child.kill('SIGKILL'));
  if (onLine && child.stdout) createInterface({ input: child.stdout }).on('line', onLine);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 130 : 1)));
  });
}
