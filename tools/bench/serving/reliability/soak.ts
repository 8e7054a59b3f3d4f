import { once } from 'node:events';
import { inspect } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '@sublace/data';
import { formatNumber } from '../../numerics/report/table.ts';
import type { ServingBenchOptions } from '../options.ts';
import { benchPosterior } from '../posterior.ts';
import { check, type PartResult, type Target } from '../report.ts';
import { servingEntry, startServing } from '../serving-process.ts';
import type { MemorySample } from './memory-probe.ts';
import { soakActions, type SoakSubject } from './soak-actions.ts';
import { trendOf } from './trend.ts';

/** Clients that act one after the other, without a pause. */
const CLIENTS = 6;

/** Most samples of memory over the whole soak, and their least distance, s. */
const [SAMPLES, DISTANCE] = [90, 1];

/** Share of the soak at its start in which memory may still grow: pools fill, code is compiled. */
const SETTLING = 1 / 3;

/** Most that the line through the samples may gain after that: a share of their mean, or an amount where that is more. */
const FLAT: Readonly<Record<keyof MemorySample, { readonly share: number; readonly amount: number }>> = {
  rss: { share: 0.05, amount: 16 * 2 ** 20 },
  heap: { share: 0.05, amount: 2 * 2 ** 20 },
  external: { share: 0.05, amount: 4 * 2 ** 20 },
  tensors: { share: 0, amount: 0.5 },
};

/**
 * Clients of every kind for a long time: both protocols, all outputs, requests that are wrong, calls that are given up, connections that come and go. Every answer
 * must be of the right kind, and what the process holds must not grow.
 *
 * @param options  Posterior and duration.
 * @returns  Checks.
 */
export async function soak({ posterior: given, seconds }: ServingBenchOptions): Promise<PartResult> {
  const posterior = await benchPosterior(given);
  const probe = new URL('./memory-probe.ts', import.meta.url).href;
  const server = await startServing(
    servingEntry,
    ['--posterior', `bench=${posterior.place}`, '--http-port', '0', '--grpc-port', '0'],
    ['--expose-gc', '--import', probe],
  );
  try {
    const subject: SoakSubject = { ...server, inputShape: posterior.inputShape, outputs: await outputsOf(server.httpPort) };
    const counts = new Map<string, number>();
    const surprises: string[] = [];
    const end = performance.now() + 1000 * seconds;
    const clients = Array.from({ length: CLIENTS }, (_, i) => runClient(subject, createRandom(1, i), end, counts, surprises));
    const samples = await sampleMemory(server, seconds);
    await Promise.all(clients);
    return { title: titleOf(seconds, counts), cases: [], targets: [...memoryTargets(samples), surpriseTarget(surprises)] };
  } finally {
    await server.stop();
  }
}

async function outputsOf(httpPort: number): Promise<string[]> {
  const metadata = (await (await fetch(`http://127.0.0.1:${httpPort}/v2/models/bench`)).json()) as { outputs: { name: string }[] };
  return metadata.outputs.map(({ name }) => name);
}

async function runClient(
  subject: SoakSubject,
  random: Random,
  end: number,
  counts: Map<string, number>,
  surprises: string[],
): Promise<void> {
  const actions = soakActions(subject, random);
  const names = Object.keys(actions);
  while (performance.now() < end) {
    const name = names[Math.floor(random.uniform() * names.length)];
    // One after the other, so that what a client does follows from its seed.
    const surprise = await actions[name]().catch((error: unknown) => inspect(error));
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (surprise !== null) surprises.push(`${name}: ${surprise}`);
  }
  for (const action of Object.values(actions)) action.close?.();
}

type TimedSample = MemorySample & { readonly second: number };

async function sampleMemory({ child }: Awaited<ReturnType<typeof startServing>>, seconds: number): Promise<TimedSample[]> {
  const samples: TimedSample[] = [];
  const start = performance.now();
  const gone = once(child, 'exit').then(() => {
    throw new Error('serving process: expected it to stay, got its end');
  });
  gone.catch(() => undefined);
  const count = Math.max(2, Math.min(SAMPLES, Math.floor(seconds / DISTANCE)));
  for (let i = 1; i <= count; i += 1) {
    await sleep(Math.max(0, start + (1000 * seconds * i) / count - performance.now()));
    const answer = once(child, 'message');
    child.send('memory');
    const [sample] = (await Promise.race([answer, gone])) as [MemorySample];
    samples.push({ ...sample, second: (performance.now() - start) / 1000 });
  }
  return samples;
}

function memoryTargets(samples: readonly TimedSample[]): Target[] {
  const settled = samples.filter(({ second }) => second > SETTLING * samples[samples.length - 1].second);
  const times = settled.map(({ second }) => second);
  return (['rss', 'heap', 'external', 'tensors'] as const).map((quantity): Target => {
    const { growth, mean, slope } = trendOf(
      times,
      settled.map((sample) => sample[quantity]),
    );
    const isCount = quantity === 'tensors';
    const scale = isCount ? 1 : 2 ** 20;
    const limit = Math.max(FLAT[quantity].share * mean, FLAT[quantity].amount) / scale;
    const what = `growth of ${quantity}, of ${formatNumber(mean / scale)}, after a third (${formatNumber((3600 * slope) / scale)} an hour)`;
    return check(what, growth / scale, isCount ? '' : 'MiB', { atMost: limit });
  });
}

function surpriseTarget(surprises: readonly string[]): Target {
  for (const surprise of [...new Set(surprises)].slice(0, 10)) console.error(`soak: ${surprise}`);
  return check('answers that were not of the right kind', surprises.length, '', { atMost: 0 });
}

function titleOf(seconds: number, counts: ReadonlyMap<string, number>): string {
  const all = [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${count} ${name}`);
  return `soak of ${seconds} s: ${all.join(', ')}`;
}
