import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A role of a cluster as a process. */
export interface RoleProcess {
  readonly child: ChildProcess;
  /** Its ready line. */
  readonly ready: { readonly address: string; readonly metricsPort?: number };
}

/**
 * Starts a role and waits until it is ready; its log goes to this process's standard error.
 *
 * @param role  Name of the app.
 * @param args  Its options.
 * @returns  The running process, which the caller ends.
 * @throws {Error} when it ends before it is ready.
 */
export async function startRole(role: 'coordinator' | 'reducer' | 'worker', ...args: string[]): Promise<RoleProcess> {
  const main = fileURLToPath(new URL(`../../../apps/${role}/src/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main, '--log-level', 'error', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => text as string);
  const outcome = await Promise.race([line, once(child, 'exit')]);
  if (typeof outcome !== 'string') throw new Error(`${role}: expected a ready line, got exit code ${String(outcome[0])}`);
  return { child, ready: JSON.parse(outcome) as RoleProcess['ready'] };
}

/**
 * Ends processes, and waits until they have ended.
 *
 * @param processes  Any.
 */
export async function stopAll(processes: readonly RoleProcess[]): Promise<void> {
  const ended = processes
    .filter(({ child }) => child.exitCode === null && child.signalCode === null)
    .map(({ child }) => once(child, 'exit'));
  for (const { child } of processes) child.kill('SIGTERM');
  await Promise.all(ended);
}

/**
 * The most memory that a process has had at any time.
 *
 * @param process  A process that runs, on Linux.
 * @returns  Resident bytes.
 */
export function peakBytes({ child }: RoleProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/**
 * A metric of a process.
 *
 * @param process  A process with a metrics port.
 * @param name  Of a metric without labels of its own.
 * @returns  Its value.
 */
export async function metricOf({ ready }: RoleProcess, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ready.metricsPort}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}
