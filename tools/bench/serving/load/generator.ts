import { setTimeout as sleep } from 'node:timers/promises';
import { HUNG_UP, OK, type LoadConnection, type LoadTarget } from './connection.ts';
import { grpcConnections } from './grpc-connection.ts';
import { HttpConnection } from './http-connection.ts';

/** How requests follow each other. */
export type Pace =
  /** Closed loop: so many clients, each of which asks again once it is answered. */
  | { readonly kind: 'closed'; readonly concurrency: number }
  /** Open loop: requests at given rates, one after the other, whether or not earlier requests are answered, on at most so many connections. */
  | { readonly kind: 'open'; readonly steps: readonly RateStep[]; readonly connectionsMax: number };

/** A rate for a while. */
export interface RateStep {
  readonly perSecond: number;
  readonly ms: number;
}

/** One measurement. */
export interface LoadOrder {
  readonly target: LoadTarget;
  readonly pace: Pace;
  /** Load before the window, not counted, ms. */
  readonly warmUpMs: number;
  /** Length of the window, ms. Steps are to fill both. */
  readonly windowMs: number;
  /** Clients that hang up so long after they sent, ms; they wait for their answers when absent. */
  readonly patienceMs?: number;
}

/** What became of the requests of a window; the arrays have one entry for each request. */
export interface LoadWindow {
  /** When it was to be sent: ms from the start of the window. */
  readonly at: Float64Array;
  /** From then to its whole answer, ms. In an open loop this counts the time that it could not be sent, so that nothing slow hides what is behind it. */
  readonly latency: Float64Array;
  /** Position in `outcomes`. */
  readonly outcome: Uint8Array;
  readonly outcomes: readonly string[];
  /** Length of the window, s. */
  readonly seconds: number;
  /** Processor seconds of the generator in it. */
  readonly cpu: number;
}

/** Clients that failed to connect wait so long, ms. */
const failurePauseMs = 20;

/** Collects what ends within a window. */
class Recorder {
  readonly #at: number[] = [];
  readonly #latency: number[] = [];
  readonly #outcome: number[] = [];
  readonly #outcomes: string[] = [OK];
  readonly #start: number;
  readonly #byArrival: boolean;

  constructor(start: number, byArrival: boolean) {
    this.#start = start;
    this.#byArrival = byArrival;
  }

  /** In a closed loop what ends in the window counts; in an open one, what was to be sent in it. */
  add(scheduled: number, outcome: string): void {
    const now = performance.now();
    if ((this.#byArrival ? scheduled : now) < this.#start) return;
    let code = this.#outcomes.indexOf(outcome);
    if (code === -1) code = this.#outcomes.push(outcome) - 1;
    this.#at.push(scheduled - this.#start);
    this.#latency.push(now - scheduled);
    this.#outcome.push(code);
  }

  window(seconds: number, cpu: number): LoadWindow {
    return {
      at: Float64Array.from(this.#at),
      latency: Float64Array.from(this.#latency),
      outcome: Uint8Array.from(this.#outcome),
      outcomes: this.#outcomes,
      seconds,
      cpu,
    };
  }
}

/**
 * Puts load on a server and measures it.
 *
 * @param order  What, how, how long.
 * @returns  What came of it.
 */
export async function generateLoad({ target, pace, warmUpMs, windowMs, patienceMs = Infinity }: LoadOrder): Promise<LoadWindow> {
  const begin = performance.now();
  const [start, end] = [begin + warmUpMs, begin + warmUpMs + windowMs];
  const recorder = new Recorder(start, pace.kind === 'open');
  let cpuAtStart = process.cpuUsage();
  let used: NodeJS.CpuUsage | undefined;
  setTimeout(() => (cpuAtStart = process.cpuUsage()), warmUpMs);
  setTimeout(() => (used ??= process.cpuUsage(cpuAtStart)), warmUpMs + windowMs);
  const open = connectionsTo(target, patienceMs);
  if (pace.kind === 'closed') await runClosed(open, target.bodies, pace.concurrency, end, recorder);
  else await runOpen(open, target.bodies, scheduleOf(pace.steps, begin), pace.connectionsMax, recorder);
  used ??= process.cpuUsage(cpuAtStart); // a closed loop may end a moment before its timer
  return recorder.window(windowMs / 1000, (used.user + used.system) / 1e6);
}

async function runClosed(
  open: () => LoadConnection,
  bodies: readonly Buffer[],
  concurrency: number,
  end: number,
  recorder: Recorder,
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    const connection = open();
    while (performance.now() < end) {
      const sent = performance.now();
      const outcome = await connection.send(bodies[next++ % bodies.length]);
      if (performance.now() < end) recorder.add(sent, outcome);
      if (isBroken(outcome)) await sleep(failurePauseMs);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

async function runOpen(
  open: () => LoadConnection,
  bodies: readonly Buffer[],
  schedule: Float64Array,
  connectionsMax: number,
  recorder: Recorder,
): Promise<void> {
  const idle: LoadConnection[] = [];
  const all: LoadConnection[] = [];
  let [due, sent, answered] = [0, 0, 0];
  await new Promise<void>((resolve) => {
    const sendOne = (connection: LoadConnection): void => {
      const scheduled = schedule[sent];
      void connection.send(bodies[sent++ % bodies.length]).then((outcome) => {
        recorder.add(scheduled, outcome);
        answered += 1;
        if (sent < due) sendOne(connection);
        else idle.push(connection);
        if (answered === schedule.length) resolve();
      });
    };
    const tick = (): void => {
      const now = performance.now();
      while (due < schedule.length && schedule[due] <= now) due += 1;
      while (sent < due) {
        if (idle.length === 0 && all.length < connectionsMax) idle.push(all[all.push(open()) - 1]);
        const connection = idle.pop();
        if (!connection) break;
        sendOne(connection);
      }
      if (due < schedule.length) setTimeout(tick, 1);
    };
    tick();
  });
  for (const connection of all) connection.close();
}

/** When each request of an open loop is to be sent. */
function scheduleOf(steps: readonly RateStep[], begin: number): Float64Array {
  const times: number[] = [];
  let start = begin;
  for (const { perSecond, ms } of steps) {
    for (let i = 0; i < Math.floor((perSecond * ms) / 1000); i += 1) times.push(start + (1000 * i) / perSecond);
    start += ms;
  }
  return Float64Array.from(times);
}

/** Makes clients of a target. */
function connectionsTo({ protocol, port }: LoadTarget, patienceMs: number): () => LoadConnection {
  const open = protocol === 'rest' ? (): LoadConnection => new HttpConnection(port) : grpcConnections(port);
  return patienceMs === Infinity ? open : () => impatient(open(), patienceMs);
}

/** A client that hangs up when it has waited long enough. */
function impatient(connection: LoadConnection, patienceMs: number): LoadConnection {
  return {
    send: async (body) => {
      const timer = setTimeout(() => connection.hangUp(), patienceMs);
      const outcome = await connection.send(body);
      clearTimeout(timer);
      return outcome;
    },
    hangUp: () => connection.hangUp(),
    close: () => connection.close(),
  };
}

/** Whether there was no answer at all: the server is gone, and asking again at once would only burn processor time. */
function isBroken(outcome: string): boolean {
  return outcome !== OK && outcome !== HUNG_UP && !outcome.startsWith('HTTP') && outcome !== 'RESOURCE_EXHAUSTED';
}
