import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { faults } from './faults/catalogue.ts';
import { checkOutcome } from './faults/check-outcome.ts';
import { FaultCluster } from './faults/fault-cluster.ts';
import { STORES, titleOf, type Fault, type Store } from './faults/fault.ts';
import type { Row } from './faults/table.ts';

/** `all`, or the quick ones when absent. */
const isAll = process.env.SUBLACE_FAULTS === 'all';
/** A regular expression that titles must match. */
const only = process.env.SUBLACE_FAULTS_ONLY;
/** One store instead of both. */
const stores = STORES.filter((store) => [undefined, '', store].includes(process.env.SUBLACE_FAULTS_STORE));
/** Longest time for one fault, below the limit of a test, so that what came of it is noted. */
const LIMIT_MS = 200_000;
/** File that gets one line of JSON per fault. */
const rowsFile = process.env.SUBLACE_FAULTS_ROWS;
/** Folder that gets the logs of clusters in which a fault was not survived. */
const logsFolder = process.env.SUBLACE_FAULTS_LOGS;

const chosen = faults
  .flatMap((fault) => fault.stores.map((store) => ({ fault, store, title: titleOf(fault, store) })))
  .filter(({ fault, store }) => stores.includes(store) && (isAll || [true, store].includes(fault.quick)))
  .filter(({ title }) => !only || new RegExp(only, 'i').test(title));

describe.concurrent('a fit survives', () => {
  for (const { fault, store, title } of chosen) {
    const reason = fault.unavailable?.();
    it(title, (context) => {
      if (reason === undefined) return strike(fault, store, title);
      const { role, name, moment } = fault;
      note({ role, name, moment, store, seconds: 0, outcome: `not run: ${reason}`, proof: '' });
      context.skip(reason);
      return undefined;
    });
  }
});

async function strike(fault: Fault, store: Store, title: string): Promise<void> {
  const cluster = new FaultCluster(store);
  const startedMs = performance.now();
  const { role, name, moment } = fault;
  const noteResult = (result: Pick<Row, 'outcome' | 'proof' | 'passed'>): void =>
    note({ role, name, moment, store, seconds: (performance.now() - startedMs) / 1000, ...result });
  try {
    const { last, proof } = await Promise.race([fault.run(cluster), overdue()]);
    if ((cluster.redis !== undefined) !== (store === 'redis'))
      throw new Error(`expected the jobs to be kept in ${store}, got another store`);
    noteResult({ outcome: await checkOutcome(fault, cluster, last), proof, passed: true });
  } catch (error) {
    noteResult({ outcome: `NOT SURVIVED: ${(error as Error).message}`, proof: '', passed: false });
    if (logsFolder) saveLogs(cluster, join(logsFolder, title.replace(/[^\w.-]+/g, '-')));
    throw error;
  } finally {
    await cluster.dispose();
  }
}

async function overdue(): Promise<never> {
  await sleep(LIMIT_MS, undefined, { ref: false });
  throw new Error(`expected an end within ${LIMIT_MS / 1000} s, got none`);
}

function note(row: Row): void {
  if (rowsFile) appendFileSync(rowsFile, `${JSON.stringify(row)}\n`);
}

function saveLogs(cluster: FaultCluster, folder: string): void {
  mkdirSync(folder, { recursive: true });
  cluster.processes.forEach(({ role, log }, index) => writeFileSync(join(folder, `${index}-${role}.log`), log()));
}
