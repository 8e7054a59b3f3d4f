/** A role for the spec: what it does is its first argument. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import { runRole } from '../run-role.ts';

const [how] = process.argv.slice(2);
// Something has to keep the process alive, as a server would.
const timer = setInterval(() => undefined, 1000);

runRole(
  async () => {
    if (how === 'help') {
      clearInterval(timer);
      return null;
    }
    if (how === 'refused') throw new SublaceError('UNAUTHENTICATED', 'call: expected a token, got none');
    if (how === 'defect') throw new TypeError('no such thing');
    if (how === 'slow-start') {
      process.stderr.write('starting\n');
      await sleep(300);
    }
    const later: Record<string, () => Promise<SublaceError | undefined>> = {
      done: () => sleep(20, undefined),
      lost: () => sleep(20, new SublaceError('UNAVAILABLE', 'coordinator: expected an answer, got none')),
    };
    return {
      ready: { role: how },
      ended: later[how]?.() ?? new Promise(() => undefined),
      async stop() {
        process.stderr.write('stopping\n');
        if (how === 'stuck') await new Promise(() => undefined);
        await sleep(50);
        process.stderr.write('stopped\n');
      },
    };
  },
  { graceMs: 500 },
);
