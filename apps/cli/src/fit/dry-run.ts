import { startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { preflightFit, type FitPreflight, type FitSpec, type MemoryNeed } from '@sublace/pipeline';
import { formatPairs, formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { FitPlace } from './run-fit.ts';

/** Workers of a cluster whose number is not known here. */
const CLUSTER_WORKERS = 1;

/**
 * Prints what a fit would do and take, without doing it.
 *
 * @param spec  What to fit, with absolute paths.
 * @param place  What would compute it.
 * @param terminal  Where the result goes.
 * @throws {SublaceError} when the fit cannot be done, with what would fit.
 */
export async function dryRun(spec: FitSpec, place: FitPlace, terminal: Terminal): Promise<void> {
  const isLocal = 'workerCount' in place;
  const workers = isLocal ? place : { workerCount: CLUSTER_WORKERS, threads: 1 };
  if (!isLocal) terminal.note('measured on this machine, for one worker of the cluster that is like it');
  const backend = await startBackend({ threads: workers.threads });
  const preflight = await preflightFit(spec, workers);
  const { workerCount, memory, machineBytes } = preflight;
  if (isLocal && memory.peak.bytes > machineBytes) {
    const fewer = workerCount > 1 ? 'use fewer --workers, a smaller S' : 'choose a smaller S';
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `fit: needs ${bytes(memory.peak.bytes)} in phase ${memory.peak.phase} with ${workerCount} workers, got a machine with ${bytes(machineBytes)}; ${fewer} or a number for --prior-precision`,
    );
  }
  terminal.result({ spec, ...preflight }, () => describe(spec, preflight, `${backend.name}, ${workers.threads} thread${workers.threads === 1 ? '' : 's'} per worker`)); // prettier-ignore
}

function describe(spec: FitSpec, preflight: FitPreflight, backend: string): string {
  const { plan, sizes, isSizeGuessed, workerCount, phases, seconds, memory, machineBytes } = preflight;
  const most = (role: MemoryNeed['role']): string =>
    bytes(Math.max(...memory.needs.filter((need) => need.role === role).map((need) => need.bytes)));
  const megabytes = (role: MemoryNeed['role'], phase: string): string =>
    number(Math.ceil((memory.needs.find((need) => need.role === role && need.phase === phase)?.bytes ?? 0) / 1e6));
  const facts = formatPairs([
    ['model', `${spec.model}, ${number(plan.parameterCount)} parameters, ${plan.outputCount} outputs`],
    ['data', `${spec.data}, ${number(plan.exampleCount)} examples, ${number(plan.validationCount)} held out`],
    ['likelihood', plan.likelihood],
    ['subnetwork', `${spec.subnetwork}, ${isSizeGuessed ? 'about ' : ''}${sizes.map(number).join(', ')} weights`],
    ['prior precision', typeof spec.priorPrecision === 'object' ? spec.priorPrecision.file : spec.priorPrecision],
    ['workers', `${workerCount} (${backend})`],
    [
      'memory',
      `about ${bytes(memory.peak.bytes)} of ${bytes(machineBytes)}; coordinator at most ${most('coordinator')}, a worker ${most('worker')}`,
    ],
    ['time', `about ${duration(seconds)}, if the machine stays as busy as it is`],
  ]);
  const table = formatTable(
    ['phase', 'tasks', 'seconds', 'coordinator, MB', 'worker, MB'],
    phases.map(({ phase, tasks, seconds: time }) => [
      phase,
      tasks,
      time.toFixed(1),
      megabytes('coordinator', phase),
      megabytes('worker', phase),
    ]),
  );
  return `${facts}\n\n${table}\n\nnothing was written: this was a dry run`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function bytes(value: number): string {
  return value < 1e9 ? `${Math.ceil(value / 1e6)} MB` : `${(value / 1e9).toFixed(1)} GB`;
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
