import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { FromCase, ToCase } from './case-messages.ts';
import type { ProcessReport } from './measurement.ts';

const entry = join(import.meta.dirname, 'run-case.ts');

/**
 * Runs a case in processes side by side that start each repetition together.
 *
 * @param part  Name of the part.
 * @param name  Of the case.
 * @param options  How many, and how.
 * @param options.processes  Processes side by side.
 * @param options.isQuick  Whether few repetitions will do.
 * @returns  What each process reports.
 * @throws {Error} when a process ends without a report; the others are ended.
 */
export async function runProcesses(
  part: string,
  name: string,
  { processes, isQuick }: { readonly processes: number; readonly isQuick: boolean },
): Promise<ProcessReport[]> {
  const children = Array.from({ length: processes }, (_, index) =>
    fork(entry, [part, name, String(index), isQuick ? 'quick' : 'full'], { execArgv: ['--expose-gc'], stdio: 'inherit' }),
  );
  const meeting = new Map<ChildProcess, boolean>();
  const reportOf = (child: ChildProcess): Promise<ProcessReport> =>
    new Promise((resolve, reject) => {
      child.on('message', (message: FromCase) => {
        if (message.kind === 'done') {
          resolve(message.report);
          return;
        }
        meeting.set(child, message.wantsMore);
        if (meeting.size < children.length) return;
        const answer: ToCase = { goOn: [...meeting.values()].some((wantsMore) => wantsMore) };
        meeting.clear();
        for (const each of children) each.send(answer);
      });
      child.on('error', reject);
      child.on('exit', (status, signal) => reject(new Error(`${part} ${name}: a process ended with ${signal ?? status ?? 'no status'}`)));
    });
  try {
    return await Promise.all(children.map(reportOf));
  } catch (error) {
    for (const child of children) child.kill();
    throw error;
  }
}
