import { SublaceError } from '@sublace/errors';

/** Longest time that a process takes to end in good order, unless it says otherwise. */
const GRACE_MS = 3000;

/** A role that runs in this process. */
export interface RunningRole {
  /** What its ready line says. */
  ready: Readonly<Record<string, unknown>>;
  /** Settles when it ends by itself: undefined when it is done, else why it cannot go on. */
  ended: Promise<SublaceError | undefined>;
  /** Ends it in good order. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Runs a role as this process: one JSON line on standard output when it is ready, one line `sublace: ...` on standard error when it fails, and
 * the exit code of the failure.
 *
 * SIGTERM ends it in good order with 0, SIGINT with 130, within the grace period. Signals that follow the first change nothing: a terminal
 * sends Ctrl-C to every process, and the parent may ask a second time.
 *
 * @param start  Reads options and starts the role; null after `--help`.
 * @param options  `graceMs`: longest time that ending may take, 3,000 ms when left out; a function is asked when it is to end, since options may say.
 */
export function runRole(
  start: () => Promise<RunningRole | null>,
  { graceMs = GRACE_MS }: { graceMs?: number | (() => number) } = {},
): void {
  // Not before the signals have their handlers.
  const starting = Promise.resolve().then(start);
  let isEnding = false;
  for (const [signal, status] of [
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const) {
    process.on(signal, () => {
      if (isEnding) return;
      isEnding = true;
      setTimeout(() => process.exit(status), typeof graceMs === 'number' ? graceMs : graceMs());
      // A role that is still starting is waited for: what it holds by then is given back too.
      starting
        .then((role) => role?.stop())
        .then(
          () => process.exit(status),
          (error: unknown) => fail(error),
        );
    });
  }
  live(starting, () => isEnding).catch((error: unknown) => {
    if (!isEnding) fail(error);
  });
}

async function live(starting: Promise<RunningRole | null>, isEnding: () => boolean): Promise<void> {
  const role = await starting;
  if (!role || isEnding()) return;
  process.stdout.write(`${JSON.stringify(role.ready)}\n`);
  const failure = await role.ended;
  if (isEnding()) return;
  await role.stop();
  if (failure) throw failure;
  process.exit(0);
}

/** A defect shows where it happened; everything else is one line that says what to do. */
function fail(thrown: unknown): never {
  const error = SublaceError.from(thrown);
  const isDefect = error.code === 'INTERNAL' && thrown instanceof Error && !(thrown instanceof SublaceError);
  process.stderr.write(`sublace: ${isDefect ? (thrown.stack ?? thrown.message) : error.message}\n`);
  process.exit(error.exitCode);
}
