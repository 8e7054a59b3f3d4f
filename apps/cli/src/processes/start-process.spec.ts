import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startProcess } from './start-process.ts';

function script(name: string): string {
  return fileURLToPath(new URL(`./testdata/${name}`, import.meta.url));
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (exists(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function startParent(child: string, ...args: string[]): Promise<{ parent: ChildProcess; childPid: number }> {
  const parent = spawn(process.execPath, [script('parent.ts'), script(child), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  return { parent, childPid: Number(line) };
}

describe('startProcess', () => {
  it('resolves with the ready message and ends the process on stop', async () => {
    const lines: string[] = [];
    const running = await startProcess({
      name: 'child',
      entry: script('ready.mjs'),
      args: ['--port', '0'],
      onLine: (line) => lines.push(line),
    });
    expect(running.ready).toEqual({ address: '127.0.0.1:1', args: ['--port', '0'] });
    expect(exists(running.pid)).toBe(true);
    const exit = await running.stop();
    expect(exit.signal).toBe('SIGTERM');
    expect(exists(running.pid)).toBe(false);
    expect(lines).toEqual(['a log line']);
  });

  it('passes on the message and the exit code of a process that fails before it is ready', async () => {
    const start = startProcess({ name: 'child', entry: script('failing.mjs'), args: [] });
    await expect(start).rejects.toMatchObject({ message: 'labels: expected 0..9, got 12 (row 3)', exitCode: 42 });
  });

  it('names a main module that is not there', async () => {
    await expect(startProcess({ name: 'worker 1', entry: script('absent.mjs'), args: [] })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('kills a process that is never ready and does not end when asked', async () => {
    const start = startProcess({ name: 'child', entry: script('stubborn.mjs'), args: [], readyTimeoutMs: 500 });
    await expect(start).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('ends a process that is not ready yet when its start is given up', async () => {
    const abort = new AbortController();
    let pid = 0;
    const onLine = (line: string): void => {
      pid = Number(line);
      abort.abort();
    };
    const start = startProcess({ name: 'worker 1', entry: script('silent.mjs'), args: [], signal: abort.signal, onLine });
    await expect(start).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(exists(pid)).toBe(false);
    await expect(startProcess({ name: 'worker 1', entry: script('silent.mjs'), args: [], signal: abort.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
  });
});

describe('a child of a process that ends', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends with it on %s, and the exit code says interrupted', async (signal) => {
    const { parent, childPid } = await startParent('ready.mjs');
    parent.kill(signal);
    expect(await once(parent, 'exit')).toEqual([130, null]);
    await gone(childPid);
  });

  it('ends with it when it is killed outright', async () => {
    const { parent, childPid } = await startParent('ready.mjs');
    parent.kill('SIGKILL');
    await gone(childPid);
  });

  it('ends even when it ignores signals', async () => {
    const { parent, childPid } = await startParent('stubborn.mjs', 'ready');
    parent.kill('SIGINT');
    await once(parent, 'exit');
    await gone(childPid);
  });
});
