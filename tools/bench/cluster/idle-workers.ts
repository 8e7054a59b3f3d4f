/**
 * Processor time of a coordinator to which many workers are attached that have nothing to do: presence streams, pings, long polls.
 *
 *   npm run bench -- idle-workers [--workers N] [--seconds N] [--store URL]
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const COORDINATOR = fileURLToPath(new URL('../../../apps/coordinator/src/main.ts', import.meta.url));
const CLIENT = fileURLToPath(new URL('./idle-workers-client.ts', import.meta.url));
/** Of the workers' long polls. */
const WAIT_MS = 20_000;
const PROCESSES = 2;
/** The kernel counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;
/** Connecting, and the compiler, are over by then. */
const SETTLE_MS = 5000;

/**
 * Measures and prints the share of a core.
 *
 * @param args  Options.
 */
export async function idleWorkers(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workers: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '60' },
      store: { type: 'string' },
    },
  });
  const [count, seconds] = [Number(values.workers), Number(values.seconds)];
  const options = ['--port', '0', '--log-level', 'warn', ...(values.store === undefined ? [] : ['--store', values.store])];
  const coordinator = spawn(process.execPath, [COORDINATOR, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const clients: ChildProcess[] = [];
  try {
    const [line] = (await once(createInterface({ input: coordinator.stdout }), 'line')) as [string];
    const { address } = JSON.parse(line) as { address: string };
    const startMs = performance.now();
    for (let i = 0; i < PROCESSES; i++) {
      const share = Math.floor(count / PROCESSES) + (i < count % PROCESSES ? 1 : 0);
      clients.push(fork(CLIENT, [address, String(share), String(WAIT_MS)]));
    }
    await Promise.all(clients.map((client) => once(client, 'message')));
    const attachedSeconds = (performance.now() - startMs) / 1000;
    await sleep(SETTLE_MS);
    const [before, beginMs] = [usageOf(coordinator.pid), performance.now()];
    await sleep(1000 * seconds);
    const after = usageOf(coordinator.pid);
    const elapsed = (performance.now() - beginMs) / 1000;
    const share = (after.cpuSeconds - before.cpuSeconds) / elapsed;
    console.log(
      `${count} idle workers, long polls of ${WAIT_MS / 1000} s, store ${values.store ?? 'embedded'}; attached in ${attachedSeconds.toFixed(1)} s`,
    );
    console.log(
      `coordinator: ${(100 * share).toFixed(1)} % of a core over ${elapsed.toFixed(0)} s, ${(after.bytes / 1e6).toFixed(0)} MB resident`,
    );
  } finally {
    for (const client of clients) client.disconnect();
    coordinator.kill('SIGKILL');
  }
}

/** Processor seconds, all threads, and resident bytes of a process. */
function usageOf(pid: number | undefined): { cpuSeconds: number; bytes: number } {
  // The name of the process, in parentheses, may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, bytes: 1024 * kilobytes };
}
