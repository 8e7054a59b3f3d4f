import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SublaceError } from '@sublace/errors';
import type { LogLine } from '@sublace/protocol';

/** A line before it has its place in the log. */
export type NewLogLine = Omit<LogLine, 'sequence'>;

/** How much is kept. */
export interface JobLogLimits {
  /** Lines of one file; a job has at most two, so that it keeps between this many and twice as many. */
  linesPerFile: number;
  /** Jobs whose logs are kept; the log that was written to longest ago goes first. */
  jobs: number;
}

/** Some 4 MB for one job, and 1,000 jobs. */
const LIMITS: JobLogLimits = { linesPerFile: 10_000, jobs: 1000 };

/** Longest message; a worker may send whatever it wants. */
const MESSAGE_LENGTH_MAX = 2000;

/** A job's file that is written to, and who waits for more. */
interface OpenLog {
  sequence: number;
  lineCount: number;
  /** The last writer died inside a line. */
  isTorn: boolean;
  followers: Set<(line: LogLine) => void>;
}

/** What happened to each job: JSON lines in files of a folder, so that they survive the coordinator. */
export class JobLog {
  readonly #folder: string;
  readonly #limits: JobLogLimits;
  readonly #logs = new Map<string, OpenLog>();

  /**
   * @param folder  Folder of the files; made when it is missing.
   * @param limits  How much is kept.
   */
  constructor(folder: string, limits: JobLogLimits = LIMITS) {
    this.#folder = folder;
    this.#limits = limits;
    mkdirSync(folder, { recursive: true });
  }

  /**
   * Adds a line. Lines of jobs that ended are taken too.
   *
   * @param jobId  The job.
   * @param line  The line.
   * @throws SublaceError INVALID_ARGUMENT for an id that is no file name, OUTPUT_UNWRITABLE when the line cannot be written.
   */
  append(jobId: string, line: NewLogLine): void {
    const log = this.#open(jobId);
    const message = line.message.length > MESSAGE_LENGTH_MAX ? `${line.message.slice(0, MESSAGE_LENGTH_MAX)}...` : line.message;
    const entry: LogLine = { sequence: log.sequence + 1, ...line, message };
    const path = this.#path(jobId);
    try {
      if (log.lineCount >= this.#limits.linesPerFile) {
        renameSync(path, olderOf(path));
        log.lineCount = 0;
      }
      appendFileSync(path, `${log.isTorn ? '\n' : ''}${JSON.stringify(entry)}\n`);
    } catch (error) {
      throw new SublaceError('OUTPUT_UNWRITABLE', `${path}: expected to append a line, got: ${(error as Error).message}`, { cause: error });
    }
    log.isTorn = false;
    log.sequence++;
    log.lineCount++;
    for (const follower of log.followers) follower(entry);
  }

  /**
   * The lines of a job.
   *
   * @param jobId  The job.
   * @param options  `follow`: given, also the lines to come, until it says that one was the last, or the signal aborts.
   * @param options.isLast  Whether nothing comes after a line.
   * @param options.signal  Ends the reading.
   * @yields Lines, oldest first.
   * @throws SublaceError INVALID_ARGUMENT for an id that is no file name.
   */
  async *read(jobId: string, options?: { isLast: (line: LogLine) => boolean; signal: AbortSignal }): AsyncGenerator<LogLine> {
    const log = this.#open(jobId);
    const queue: LogLine[] = [];
    let wake = (): void => undefined;
    const follower = (line: LogLine): void => {
      queue.push(line);
      wake();
    };
    const stop = (): void => wake();
    if (options) {
      log.followers.add(follower);
      options.signal.addEventListener('abort', stop);
    }
    try {
      let last: LogLine | undefined;
      for (const line of this.#written(jobId)) {
        last = line;
        yield line;
      }
      while (options && !options.signal.aborted && !(last && options.isLast(last))) {
        const line = queue.shift();
        if (!line) await new Promise<void>((resolve) => (wake = resolve));
        else if (line.sequence > (last?.sequence ?? 0)) yield (last = line);
      }
    } finally {
      log.followers.delete(follower);
      options?.signal.removeEventListener('abort', stop);
    }
  }

  #open(jobId: string): OpenLog {
    const known = this.#logs.get(jobId);
    if (known) return known;
    const path = this.#path(jobId);
    if (!existsSync(path)) this.#makeRoom();
    const text = read(path);
    const lines = parse(text);
    const sequence = lines.at(-1)?.sequence ?? parse(read(olderOf(path))).at(-1)?.sequence ?? 0;
    const log = { sequence, lineCount: lines.length, isTorn: text !== '' && !text.endsWith('\n'), followers: new Set<never>() };
    this.#logs.set(jobId, log);
    return log;
  }

  #written(jobId: string): LogLine[] {
    const path = this.#path(jobId);
    return [...parse(read(olderOf(path))), ...parse(read(path))];
  }

  /** A path is made from the id only when it can lead nowhere else. */
  #path(jobId: string): string {
    if (!/^[a-zA-Z0-9][a-zA-Z0-9-]{0,99}$/.test(jobId))
      throw new SublaceError('INVALID_ARGUMENT', `job ${JSON.stringify(jobId)}: expected an id of letters, digits and dashes`);
    return join(this.#folder, `${jobId}.jsonl`);
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

const OLDER = '.old.jsonl';

function olderOf(path: string): string {
  return path.replace(/\.jsonl$/, OLDER);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new SublaceError('OUTPUT_UNWRITABLE', `${path}: expected to read the log, got: ${(error as Error).message}`, { cause: error });
  }
}

/** The lines of a file, without those that a dying process left unfinished. */
function parse(text: string): LogLine[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      return [];
    }
  });
}
