import { readFileSync, readdirSync } from 'node:fs';

/** A process, as /proc shows it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parentPid: number;
  readonly commandLine: string;
}

function readProcess(pid: number): ProcessInfo | undefined {
  try {
    // The name in parentheses may hold spaces; the parent's id is the second field after it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return { pid, parentPid: Number(fields[1]), commandLine: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') };
  } catch {
    // It ended between the listing and the reading.
    return undefined;
  }
}

/**
 * Children of a process, and theirs.
 *
 * @param pid  The process.
 * @returns  Its descendants, in no order.
 */
export function descendants(pid: number): ProcessInfo[] {
  const all = readdirSync('/proc')
    .map(Number)
    .filter(Boolean)
    .flatMap((id) => readProcess(id) ?? []);
  const below = (parent: number): ProcessInfo[] =>
    all.filter((each) => each.parentPid === parent).flatMap((each) => [each, ...below(each.pid)]);
  return below(pid);
}
