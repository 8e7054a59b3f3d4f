import { spawn } from 'node:child_process';
import { endWithParentEntry, roleEntry, type Role } from './roles.ts';

/**
 * Runs one role in the foreground: its options, its output, its exit code are those of this command.
 *
 * @param role  Which part.
 * @param args  Its own arguments.
 * @returns  Its exit code.
 */
export async function runRole(role: Role, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--import', endWithParentEntry(), roleEntry(role), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal sends Ctrl-C to both processes; this one waits for the other to end on its own terms.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.on('exit', () => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 130 : 1)));
  });
}
