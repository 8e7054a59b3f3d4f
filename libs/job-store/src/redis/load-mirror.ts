import { PHASES, type Failure, type Job, type JobState, type JsonObject, type Lease, type Phase, type Shard } from '@sublace/scheduling';
import { Mirror } from './mirror.ts';
import type { RedisConnection } from './redis-connection.ts';

/**
 * Reads a whole namespace. Nobody else may write meanwhile, which the owner of the namespace sees to.
 *
 * @param connection  To Redis.
 * @param prefix  Of every key, `sublace:{namespace}:`.
 * @returns  Everything in it.
 */
export async function loadMirror(connection: RedisConnection, prefix: string): Promise<Mirror> {
  const ids = (await connection.send('LRANGE', `${prefix}jobs`, '0', '-1')) as string[];
  const jobs = new Map<string, Job>();
  for (const id of ids) jobs.set(id, await loadJob(connection, `${prefix}job:${id}`, id));
  const deadlines = await pairs(connection, 'ZRANGE', `${prefix}deadlines`, '0', '-1', 'WITHSCORES');
  const leases = [...(await pairs(connection, 'HGETALL', `${prefix}leases`))].map(([token, text]): [number, Lease] => {
    const [, jobId, phase, shard, workerId] = /^(\S+) (\w+) (\d+) (.*)$/s.exec(text)!;
    const lease = { jobId, phase: phase as Phase, shard: Number(shard), leaseToken: Number(token), workerId };
    const { attempt } = jobs.get(jobId)!.shards[lease.shard];
    return [lease.leaseToken, { ...lease, attempt, leaseExpiresAtMs: Number(deadlines.get(token)) }];
  });
  const revision = Number(await connection.send('HGET', `${prefix}meta`, 'revision'));
  const mirror = new Mirror(jobs, new Map(leases.sort(([a], [b]) => a - b)), revision);
  mirror.highestToken = Number(await connection.send('HGET', `${prefix}meta`, 'lastToken'));
  return mirror;
}

async function loadJob(connection: RedisConnection, key: string, jobId: string): Promise<Job> {
  const fields = await pairs(connection, 'HGETALL', key);
  const text = (name: string): string => fields.get(name) ?? '';
  const phase = text('phase') as Phase;
  const failure = fields.get('failure');
  const job: Job = {
    jobId,
    spec: JSON.parse(text('spec')) as JsonObject,
    state: text('state') as JobState,
    phase,
    shards: [],
    shardsDone: Number(text('shardsDone')),
    summaries: {},
    doneTokens: {},
    submittedAtMs: Number(text('submittedAtMs')),
    priority: Number(text('priority')),
    ...(failure === undefined ? {} : { failure: JSON.parse(failure) as Failure }),
    firstPending: 0,
  };
  const planned = Number(text('plannedShards'));
  for (const each of PHASES.slice(0, PHASES.indexOf(phase) + 1)) {
    const count = each === phase ? Number(text('shardCount')) : each === 'score' || each === 'accumulate' ? planned : 1;
    const shards = await pairs(connection, 'HGETALL', `${key}:${each}:shards`);
    const summaries = await pairs(connection, 'HGETALL', `${key}:${each}:summaries`);
    const parsed = Array.from({ length: count }, (_, index) => parseShard(shards.get(String(index))));
    job.summaries[each] = Array.from({ length: count }, (_, index) => {
      const summary = summaries.get(String(index));
      return summary === undefined ? undefined : (JSON.parse(summary) as JsonObject);
    });
    if (parsed.every((shard) => shard.state === 'done')) job.doneTokens[each] = parsed.map((shard) => shard.leaseToken);
    if (each === phase) job.shards = parsed;
  }
  return job;
}

/** Absent: pending, never leased. */
function parseShard(text: string | undefined): Shard {
  if (text === undefined) return { state: 'pending', attempt: 0, leaseToken: 0 };
  const [, state, attempt, token, lastFailure] = /^(\w+) (\d+) (\d+) (.*)$/s.exec(text)!;
  const shard = { state: state as Shard['state'], attempt: Number(attempt), leaseToken: Number(token) };
  return lastFailure === '' ? shard : { ...shard, lastFailure };
}

/** A flat list of names and values as a map. */
async function pairs(connection: RedisConnection, ...command: string[]): Promise<Map<string, string>> {
  const flat = (await connection.send(...command)) as string[];
  const map = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) map.set(flat[i], flat[i + 1]);
  return map;
}
