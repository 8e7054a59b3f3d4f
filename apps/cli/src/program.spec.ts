import { describe, expect, it } from 'vitest';
import { createProgram, runProgram } from './program.ts';

describe('runProgram', () => {
  it.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['doctor', '--bad'], "unknown option '--bad'"],
  ])('ends with a usage error for %j', async (args, message) => {
    await expect(runProgram(await createProgram(args), args)).rejects.toMatchObject({ code: 'USAGE', exitCode: 2, message });
  });
});

describe('createProgram', () => {
  it('loads the command that is named, and all of them for the help', async () => {
    const all = (await createProgram(['--help'])).commands.map((command) => command.name());
    expect(all).toEqual(expect.arrayContaining(['fit', 'jobs', 'serve', 'worker']));
    for (const name of all) {
      const loaded = (await createProgram(['--json', name])).commands.map((command) => command.name());
      expect(loaded).toContain(name);
      expect(loaded.length).toBeLessThan(all.length);
    }
  });

  it('takes --json before and after every command that has a result', async () => {
    for (const command of (await createProgram()).commands.filter(
      (each) => !['serve', 'coordinator', 'reducer', 'worker'].includes(each.name()),
    )) {
      expect([command.name(), command.options.some((option) => option.long === '--json')]).toEqual([command.name(), true]);
    }
  });
});
