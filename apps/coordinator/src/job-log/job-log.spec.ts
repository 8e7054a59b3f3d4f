import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogLine } from '@sublace/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JobLog } from './job-log.ts';
import { LogFiles, type LogFileLimits } from './log-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'job-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(limits?: LogFileLimits): JobLog {
  return new JobLog(new LogFiles(folder, limits), (_jobId, error) => {
    throw error;
  });
}

const line = (message: string, atMs = 0) => ({ atMs, level: 'info' as const, message });
const isLast = ({ message }: LogLine): boolean => message === 'end';

async function collect(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const collected: LogLine[] = [];
  for await (const each of lines) collected.push(each);
  return collected;
}

async function all(log: JobLog, jobId: string): Promise<string[]> {
  return (await collect(log.read(jobId))).map(({ sequence, message }) => `${sequence} ${message}`);
}

describe('JobLog', () => {
  it('keeps lines per job, also for the process that comes after, with the line that it died in left out', async () => {
    const log = open();
    log.append('job-a', line('one'));
    log.append('job-b', line('other'));
    await log.close();
    appendFileSync(join(folder, 'job-a.jsonl'), '{"sequence":2,"mess');
    const next = open();
    next.append('job-a', line('two'));
    expect(await all(next, 'job-a')).toEqual(['1 one', '2 two']);
    expect(await all(next, 'job-c')).toEqual([]);
  });

  it('lets a reader follow until the last line, whoever was there first', async () => {
    const log = open();
    log.append('job-a', line('one'));
    const { signal } = new AbortController();
    const reading = collect(log.read('job-a', { isLast, signal }));
    for (const message of ['two', 'end']) log.append('job-a', line(message));
    expect((await reading).map(({ message }) => message)).toEqual(['one', 'two', 'end']);
    log.append('job-a', line('after the end'));
    await log.close();
    const { length } = await collect(open().read('job-a', { isLast, signal }));
    expect(length, 'a line after the last one keeps nobody waiting').toBe(4);
    const late = await collect(open().read('job-a', { isLast: ({ message }) => message === 'after the end', signal }));
    expect(late).toHaveLength(4);
  });

  it('ends with its signal', async () => {
    const abort = new AbortController();
    const reading = collect(open().read('job-a', { isLast, signal: abort.signal }));
    await Promise.resolve();
    abort.abort();
    expect(await reading).toEqual([]);
  });

  it('keeps the newest lines of a long log and goes on counting', async () => {
    const log = open({ linesPerFile: 3, jobs: 10 });
    for (let i = 1; i <= 8; i++) {
      log.append('job-a', line(`line ${i}`));
      await log.close();
    }
    expect(await all(log, 'job-a')).toEqual([4, 5, 6, 7, 8].map((i) => `${i} line ${i}`));
    const next = open({ linesPerFile: 3, jobs: 10 });
    next.append('job-a', line('line 9'));
    expect((await all(next, 'job-a')).at(-1)).toBe('9 line 9');
  });

  it('keeps the logs of the newest jobs', async () => {
    const log = open({ linesPerFile: 3, jobs: 2 });
    for (const jobId of ['job-a', 'job-b', 'job-c']) {
      for (let i = 0; i < 4; i++) {
        log.append(jobId, line('a line'));
        await log.close();
      }
    }
    expect(readdirSync(folder).filter((name) => !name.endsWith('.old.jsonl'))).toHaveLength(2);
    expect(readdirSync(folder)).not.toContain('job-a.old.jsonl');
  });

  it('writes lines that come while others are written all at once, in order', async () => {
    const appends: number[] = [];
    const files = new LogFiles(folder);
    const append = files.append.bind(files);
    files.append = async (name, lines) => {
      appends.push(lines.length);
      await new Promise((resolve) => setTimeout(resolve, 5));
      await append(name, lines);
    };
    const log = new JobLog(files, () => undefined);
    log.append('job-a', line('line 1'));
    await new Promise((resolve) => setTimeout(resolve, 2));
    for (let i = 2; i <= 50; i++) log.append('job-a', line(`line ${i}`));
    expect(await all(log, 'job-a')).toEqual(Array.from({ length: 50 }, (_, i) => `${i + 1} line ${i + 1}`));
    expect(appends).toEqual([1, 49]);
  });

  it('tells of a line that is lost, and goes on', async () => {
    const lost: string[] = [];
    const log = new JobLog(new LogFiles(folder), (jobId, { code }) => lost.push(`${jobId} ${code}`));
    mkdirSync(join(folder, 'job-a.jsonl'));
    log.append('job-a', line('one'));
    log.append('job-b', line('other'));
    expect(await all(log, 'job-b')).toEqual(['1 other']);
    expect(lost).toEqual(['job-a OUTPUT_UNWRITABLE']);
  });

  it('cuts a message that is too long', async () => {
    const log = open();
    log.append('job-a', line('x'.repeat(10_000)));
    const [only] = await collect(log.read('job-a'));
    expect(only.message).toHaveLength(2003);
  });

  it.each(['../job', 'a/b', '', '.', 'job.a', 'a\0b', 'x'.repeat(101)])('makes no path of %j', (jobId) => {
    expect(() => open().append(jobId, line('one'))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error);
  });
});
