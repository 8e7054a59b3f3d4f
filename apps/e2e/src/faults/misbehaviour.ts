/**
 * Loaded into a role before it starts (`node --import`), so that a test can make it misbehave from outside: on SIGUSR2 it does what the file that
 * SUBLACE_MISBEHAVIOUR names says.
 */
import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** What the file asks for. */
export type Misbehaviour = { kind: 'throw' } | { kind: 'shift clock'; byMs: number };

const SHIFT = 'SUBLACE_CLOCK_SHIFT_MS';
const RealDate = Date;
const realNow = Date.now.bind(Date);

/** The wall clock as somebody has set it. The monotonic clock stays, as it does when a real clock is set. */
const shiftedNow = (): number => realNow() + Number(process.env[SHIFT] ?? 0);

// Every thread of the process reads the shift from the environment that they share.
globalThis.Date = new Proxy(RealDate, {
  construct: (_target, args: unknown[], newTarget) =>
    Reflect.construct(RealDate, args.length === 0 ? [shiftedNow()] : args, newTarget) as Date,
  get: (target, name) => (name === 'now' ? shiftedNow : (Reflect.get(target, name) as unknown)),
});

// A process that starts while the clock is wrong counts its monotonic time from that wrong moment.
const origin = performance.timeOrigin + Number(process.env[SHIFT] ?? 0);
if (isMainThread) Object.defineProperty(performance, 'timeOrigin', { get: () => origin });

if (isMainThread) {
  process.on('SIGUSR2', () => {
    const asked = JSON.parse(readFileSync(process.env.SUBLACE_MISBEHAVIOUR!, 'utf8')) as Misbehaviour;
    if (asked.kind === 'shift clock') process.env[SHIFT] = String(asked.byMs);
    else throw new Error('a defect of the process');
  });
}
