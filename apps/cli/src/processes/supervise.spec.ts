import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { startProcess, type ManagedProcess } from './start-process.ts';
import { supervise, type Supervised } from './supervise.ts';

function script(name: string): string {
  return fileURLToPath(new URL(`./testdata/${name}`, import.meta.url));
}

let supervised: Supervised;
let born: ManagedProcess[];
let notes: string[];

/** Keeps a process running; `entryOf` says which module it is at each start. */
function keep(entryOf: (start: number) => string, youngMs: number): Supervised {
  born = [];
  notes = [];
  supervised = supervise({
    async start(signal) {
      const process = await startProcess({ name: 'child', entry: script(entryOf(born.length)), args: [], signal });
      born.push(process);
      return process;
    },
    attemptsMax: 3,
    youngMs,
    pauseMs: 1,
    onNote: (line) => notes.push(line),
  });
  return supervised;
}

/** Waits for the start with this number, from 0. */
async function start(number: number): Promise<ManagedProcess> {
  while (born.length <= number) await new Promise((resolve) => setTimeout(resolve, 10));
  return born[number];
}

afterEach(() => supervised.stop());

describe('supervise', () => {
  it('starts a process again whenever it dies, and ends it for good when asked', async () => {
    await keep(() => 'ready.mjs', 0).started;
    for (const number of [0, 1, 2, 3]) process.kill((await start(number)).pid, 'SIGKILL');
    const last = await start(4);
    expect(notes).toEqual(Array.from({ length: 4 }, () => 'child ended (SIGKILL); starting another'));
    await supervised.stop();
    expect(await last.exit).toMatchObject({ signal: 'SIGTERM' });
    expect(born).toHaveLength(5);
  });

  it('gives up one that dies young several times in a row', async () => {
    await keep(() => 'ready.mjs', 60_000).started;
    for (const number of [0, 1, 2]) process.kill((await start(number)).pid, 'SIGKILL');
    expect(await supervised.givenUp).toMatchObject({ code: 'UNAVAILABLE' });
    expect(born).toHaveLength(3);
  });

  it('gives up when another start fails, with its reason', async () => {
    await keep((number) => (number === 0 ? 'ready.mjs' : 'failing.mjs'), 0).started;
    process.kill((await start(0)).pid, 'SIGKILL');
    expect(await supervised.givenUp).toMatchObject({ message: 'labels: expected 0..9, got 12 (row 3)', exitCode: 42 });
  });

  it('reports a first start that fails', async () => {
    await expect(keep(() => 'failing.mjs', 0).started).rejects.toMatchObject({ exitCode: 42 });
  });
});
