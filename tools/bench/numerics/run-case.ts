/** One process of one case: forked by the suite, answers with a {@link ProcessReport}. */
import { startBackend } from '@sublace/backend';
import { timeRepetitions, type Bench } from './bench.ts';
import type { FromCase, ToCase } from './case-messages.ts';
import { measureCopy, measureProducts } from './floors.ts';
import { PARTS } from './parts.ts';

const [partName, caseName, index, isQuick] = process.argv.slice(2);
const part = PARTS[partName];
const failures: string[] = [];

function send(message: FromCase): void {
  process.send?.(message);
}

function meet(wantsMore: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    process.once('message', ({ goOn }: ToCase) => resolve(goOn));
    send({ kind: 'met', wantsMore });
  });
}

const bench: Bench = {
  isQuick: isQuick === 'quick',
  process: { index: Number(index), count: part.processes },
  time: (work) => timeRepetitions(work, isQuick === 'quick', meet),
  fail: (reason) => failures.push(reason),
};

const { name, version, device } = await startBackend({ threads: part.threads, runtime: 'native' });
const before = await measureProducts(bench);
const startBytes = peakBytes();
const measurements = await part.cases[caseName](bench);
const allBytes = peakBytes();
const after = await measureProducts(bench);
const floors = {
  float32: (before.float32 + after.float32) / 2,
  float64: (before.float64 + after.float64) / 2,
  copy: await measureCopy(bench),
};
send({
  kind: 'done',
  report: { measurements, failures, floors, startBytes, peakBytes: allBytes, runtime: `${name} ${version} on ${device}` },
});
process.disconnect();

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
