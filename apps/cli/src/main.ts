import { SublaceError } from '@sublace/errors';
import { createProgram, runProgram } from './program.ts';

try {
  await runProgram(createProgram(), process.argv.slice(2));
} catch (thrown) {
  const error = SublaceError.from(thrown);
  // A defect shows where it happened; everything else is one line that says what to do.
  const text = error.code === 'INTERNAL' && thrown instanceof Error ? (thrown.stack ?? thrown.message) : error.message;
  process.stderr.write(`sublace: ${text}\n`);
  process.exitCode = error.exitCode;
}
