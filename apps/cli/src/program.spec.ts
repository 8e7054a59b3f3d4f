import { describe, expect, it } from 'vitest';
import { createProgram, runProgram } from './program.ts';

describe('runProgram', () => {
  it.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['doctor', '--bad'], "unknown option '--bad'"],
  ])('ends with a usage error for %j', async (args, message) => {
    await expect(runProgram(createProgram(), args)).rejects.toMatchObject({ code: 'USAGE', exitCode: 2, message });
  });
});

describe('createProgram', () => {
  it('takes --json before and after every command that has a result', () => {
    for (const command of createProgram().commands.filter((each) => !['serve', 'coordinator', 'reducer', 'worker'].includes(each.name()))) {
      expect([command.name(), command.options.some((option) => option.long === '--json')]).toEqual([command.name(), true]);
    }
  });
});
