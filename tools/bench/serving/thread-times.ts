import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of the kernel's accounts, per second: 100 on every Linux that Node has builds for. */
const TICKS_PER_SECOND = 100;

/** Processor seconds of a process so far. */
export interface ThreadTimes {
  /** Of its main thread, which talks. */
  readonly main: number;
  /** Of all others: the compute thread, those of the tensor runtime, of V8 and of libuv. */
  readonly others: number;
}

/**
 * Processor time of a process, from /proc (Linux).
 *
 * @param pid  The process.
 * @returns  Zeros once it has gone.
 */
export function threadTimes(pid: number): ThreadTimes {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map((thread) => secondsOf(`/proc/${pid}/task/${thread}/stat`));
    const main = times[threads.indexOf(String(pid))] ?? 0;
    return { main, others: times.reduce((sum, time) => sum + time, 0) - main };
  } catch {
    return { main: 0, others: 0 };
  }
}

function secondsOf(path: string): number {
  const stat = readFileSync(path, 'utf8');
  // The name comes in brackets and may hold anything; user and system time are the 12th and 13th words after it.
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(words[11]) + Number(words[12])) / TICKS_PER_SECOND;
}
