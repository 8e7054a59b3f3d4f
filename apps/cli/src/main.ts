import { SublaceError } from '@sublace/errors';
import { isEnding } from './processes/start-process.ts';
import { createProgram, runProgram } from './program.ts';

// As in `sublace logs JOB | head`: who reads has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  const args = process.argv.slice(2);
  await runProgram(await createProgram(args), args);
} catch (thrown) {
  // After Ctrl-C, whatever failed did so because it was ended.
  const error = isEnding() ? new SublaceError('CANCELLED', 'interrupted') : SublaceError.from(thrown);
  // A defect shows where it happened; everything else is one line that says what to do.
  const text = error.code === 'INTERNAL' && thrown instanceof Error ? (thrown.stack ?? thrown.message) : error.message;
  process.stderr.write(`sublace: ${text}\n`);
  process.exitCode = error.exitCode;
}
