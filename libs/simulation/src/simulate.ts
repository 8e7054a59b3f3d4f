import { SublaceError } from '@sublace/errors';
import type { Phase } from '@sublace/scheduling';
import { checkCompleted } from './check-completed.ts';
import { CoordinatorModel } from './coordinator-model.ts';
import { createCounterRandom } from './counter-random.ts';
import { FairLink } from './fair-link.ts';
import { compileSimulation, type SimulationInput, type SimulationOptions } from './options.ts';
import { reportOf, type SimulationReport } from './report.ts';
import { stream } from './streams.ts';
import { TimeLedger } from './time-ledger.ts';
import { Timeline } from './timeline.ts';
import { WorkerProcess, type Machine, type World } from './worker-process.ts';

/** Events after which a simulation is given up: some minutes of computing. */
const EVENTS_MAX = 100_000_000;

/**
 * Runs one fit on a simulated cluster: the scheduling core of the real coordinator, on virtual time.
 *
 * The result depends on the options alone, seed included. Every run checks that each shard of each phase was committed exactly once, and throws
 * when not.
 *
 * @param input  Cluster and fit; see {@link compileSimulation} for what is left out.
 * @returns  What happened. `outcome` is `succeeded`, `failed` (the scheduler gave the job up), or `stalled` (no worker is left).
 * @throws SublaceError INVALID_ARGUMENT for options that make no sense; INTERNAL when an invariant does not hold.
 */
export function simulate(input: SimulationInput): SimulationReport {
  const options = compileSimulation(input);
  const { workerCount, network, losses, pauses } = options;
  const timeline = new Timeline();
  const ledger = new TimeLedger(workerCount);
  const coordinator = new CoordinatorModel(options, timeline, ledger);
  const random = createCounterRandom(options.seed);
  const canLeasesExpire = pauses.meanSeconds < Infinity || (losses.meanSeconds < Infinity && !losses.areNoticed);
  const wastedSeconds = new Map<Phase, number>();
  const world: World = { options, timeline, random, ledger, coordinator, canLeasesExpire, wastedSeconds };
  const machines = Array.from({ length: workerCount }, (_, index): Machine => {
    const [incoming, outgoing] = [0, 1].map(() => new FairLink(timeline, network.workerBytesPerSecond));
    return { index, incoming, outgoing, slowness: slownessOf(options, random.uniform(stream('straggler', index), 0)) };
  });

  coordinator.submit(canLeasesExpire);
  const fleet = new Fleet(world);
  for (const machine of machines) fleet.start(machine, 0);
  while (!coordinator.isOver && !fleet.isEmpty && timeline.next()) {
    if (timeline.eventCount > EVENTS_MAX) {
      throw new SublaceError('INVALID_ARGUMENT', `simulation: expected an end within ${EVENTS_MAX} events, got none; make it smaller or its faults rarer`); // prettier-ignore
    }
  }
  ledger.begin(ledger.stage, timeline.now);
  checkCompleted(options, coordinator);
  return reportOf(world, machines, fleet);
}

function slownessOf({ stragglers }: SimulationOptions, draw: number): number {
  return draw < stragglers.share ? stragglers.factor : 1;
}

/** The processes that come, stand still, and go. */
class Fleet {
  lossCount = 0;
  pauseCount = 0;
  readonly #world: World;
  /** Processes that run or will come back. */
  #expectedCount = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether no process is left and none will come. */
  get isEmpty(): boolean {
    return this.#expectedCount === 0;
  }

  /** Starts a process; it dies and is replaced as its machine's random numbers have it. */
  start(machine: Machine, incarnation: number): void {
    const { timeline, random, options } = this.#world;
    const { meanSeconds, returnSeconds } = options.losses;
    const process = new WorkerProcess(this.#world, machine, incarnation);
    if (incarnation === 0) this.#expectedCount++;
    const life = { isOver: false };
    this.#pauseNowAndThen(process, machine, life, incarnation * 2 ** 16);
    const seconds = meanSeconds === Infinity ? Infinity : meanSeconds * random.exponential(stream('loss', machine.index), incarnation);
    timeline.after(seconds, () => {
      this.lossCount++;
      life.isOver = true;
      process.die();
      if (returnSeconds === Infinity) this.#expectedCount--;
      timeline.after(returnSeconds, () => this.start(machine, incarnation + 1));
    });
  }

  #pauseNowAndThen(process: WorkerProcess, machine: Machine, life: { isOver: boolean }, draw: number): void {
    const { timeline, random, options } = this.#world;
    const { meanSeconds, seconds } = options.pauses;
    if (meanSeconds === Infinity) return;
    timeline.after(meanSeconds * random.exponential(stream('pause', machine.index), draw), () => {
      if (life.isOver) return;
      this.pauseCount++;
      process.pause();
      timeline.after(seconds, () => {
        process.resume();
        if (!life.isOver) this.#pauseNowAndThen(process, machine, life, draw + 1);
      });
    });
  }
}
