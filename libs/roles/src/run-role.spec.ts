import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROLE = fileURLToPath(new URL('./testdata/role.ts', import.meta.url));

/** Runs the role of the spec; signals it when it has said something, as often as there are signals. */
async function run(how: string, ...signals: NodeJS.Signals[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [ROLE, how], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  const signal = (): void => {
    for (const each of signals.splice(0)) child.kill(each);
  };
  child.stdout.on('data', (text) => {
    out += String(text);
    signal();
  });
  child.stderr.on('data', (text) => {
    err += String(text);
    signal();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, out, err };
}

describe('a role', () => {
  it('says that it is ready, is stopped when it is done, and ends with 0', async () => {
    expect(await run('done')).toEqual({ status: 0, out: '{"role":"done"}\n', err: 'stopping\nstopped\n' });
  });

  it.each([
    ['refused', 42, 'sublace: call: expected a token, got none\n'],
    ['lost', 1, 'stopping\nstopped\nsublace: coordinator: expected an answer, got none\n'],
  ])('that is %s ends with the exit code of its error and one line', async (how, status, err) => {
    expect(await run(how)).toMatchObject({ status, err });
  });

  it('shows where a defect happened', async () => {
    const { status, err } = await run('defect');
    expect(status).toBe(1);
    expect(err).toMatch(/^sublace: TypeError: no such thing\n +at .*role\.ts/);
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)('ends in good order on %s, once, with %i', async (signal, status) => {
    expect(await run('server', signal, signal)).toEqual({ status, out: '{"role":"server"}\n', err: 'stopping\nstopped\n' });
  });

  it('that is asked to end while it starts still gives back what it has by then', async () => {
    expect(await run('slow-start', 'SIGTERM')).toEqual({ status: 0, out: '', err: 'starting\nstopping\nstopped\n' });
  });

  it('ends after its grace period when it cannot end in good order', async () => {
    expect(await run('stuck', 'SIGTERM')).toMatchObject({ status: 0, err: 'stopping\n' });
  });

  it('ends with 0 after --help', async () => {
    expect(await run('help')).toEqual({ status: 0, out: '', err: '' });
  });
});
