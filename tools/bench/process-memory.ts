import { readdirSync, readFileSync } from 'node:fs';

/** Memory of one process. */
export interface ProcessMemory {
  readonly pid: number;
  /** The words that it was started with. */
  readonly command: string;
  /** Resident bytes; pages that processes share count once for each. */
  readonly bytes: number;
}

const PAGE_BYTES = 4096;

/**
 * Resident memory of a process and its descendants, from /proc.
 *
 * @param root  Process id.
 * @returns  One entry per process; none once they are gone.
 */
export function sampleMemory(root: number): ProcessMemory[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? contentOf(`/proc/${name}/stat`) : undefined;
    // The name of the program comes in brackets and may hold anything; the parent is the second word after it.
    if (stat !== undefined) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at)) if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow).flatMap((pid) => {
    const pages = contentOf(`/proc/${pid}/statm`)?.split(' ')[1];
    const command = contentOf(`/proc/${pid}/cmdline`)?.split('\0').join(' ').trim();
    return pages === undefined || command === undefined ? [] : [{ pid, command, bytes: Number(pages) * PAGE_BYTES }];
  });
}

/** Undefined when the process has ended meanwhile. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
