import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import type { LogBacking } from './job-log.ts';

/** How much is kept. */
export interface LogFileLimits {
  /** Lines of one file; a job has at most two, so that it keeps between this many and twice as many. */
  linesPerFile: number;
  /** Jobs whose logs are kept; the log that was written to longest ago goes first. */
  jobs: number;
}

/** Some 4 MB for one job, and 1,000 jobs. */
const LIMITS: LogFileLimits = { linesPerFile: 10_000, jobs: 1000 };

const OLDER = '.old.jsonl';

/** Logs as files of a folder, a line per record. The name of a log is a file name; whoever calls has made sure of that. */
export class LogFiles implements LogBacking {
  readonly #folder: string;
  readonly #limits: LogFileLimits;
  /** Lines of each file that this process writes to. */
  readonly #lineCounts = new Map<string, number>();

  /**
   * @param folder  Folder of the files; made when it is missing.
   * @param limits  How much is kept.
   */
  constructor(folder: string, limits: LogFileLimits = LIMITS) {
    this.#folder = folder;
    this.#limits = limits;
    mkdirSync(folder, { recursive: true });
  }

  /**
   * Adds lines.
   *
   * @param name  The log.
   * @param lines  The lines.
   * @throws SublaceError OUTPUT_UNWRITABLE when it cannot be written.
   */
  async append(name: string, lines: readonly string[]): Promise<void> {
    const path = join(this.#folder, `${name}.jsonl`);
    try {
      const known = this.#lineCounts.get(name);
      let count = known ?? this.#begin(path);
      if (count >= this.#limits.linesPerFile) {
        renameSync(path, olderOf(path));
        count = 0;
      }
      appendFileSync(path, lines.map((line) => `${line}\n`).join(''));
      this.#lineCounts.set(name, count + lines.length);
    } catch (error) {
      throw new SublaceError('OUTPUT_UNWRITABLE', `${path}: expected to append ${lines.length} lines, got: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /**
   * The lines of a log.
   *
   * @param name  The log.
   * @returns  Lines, oldest first; none for a log that is not there.
   * @throws SublaceError OUTPUT_UNWRITABLE when it cannot be read.
   */
  async read(name: string): Promise<string[]> {
    const path = join(this.#folder, `${name}.jsonl`);
    return [olderOf(path), path].flatMap((file) => textOf(file).split('\n')).filter((line) => line !== '');
  }

  /** Nothing is open between two calls. */
  async close(): Promise<void> {
    // Files are opened and closed with every append: there are many logs.
  }

  /** Lines of a file that is written to for the first time; one that ends inside a line, where a process died, gets an end. */
  #begin(path: string): number {
    if (!existsSync(path)) this.#makeRoom();
    const text = textOf(path);
    if (text !== '' && !text.endsWith('\n')) appendFileSync(path, '\n');
    return text.split('\n').length - 1;
  }

  #makeRoom(): void {
    const paths = readdirSync(this.#folder)
      .filter((name) => name.endsWith('.jsonl') && !name.endsWith(OLDER))
      .map((name) => join(this.#folder, name));
    if (paths.length < this.#limits.jobs) return;
    const byAge = paths
      .map((path) => ({ path, atMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .sort((a, b) => a.atMs - b.atMs);
    for (const { path } of byAge.slice(0, paths.length - this.#limits.jobs + 1)) {
      for (const file of [path, olderOf(path)]) rmSync(file, { force: true });
    }
  }
}

function olderOf(path: string): string {
  return path.replace(/\.jsonl$/, OLDER);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new SublaceError('OUTPUT_UNWRITABLE', `${path}: expected to read the log, got: ${(error as Error).message}`, { cause: error });
  }
}
