import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { emptyState, step, type Effect, type LeaseRef, type Phase, type SchedulingEvent } from './index.ts';

/**
 * Scenario files read as stories: a comment, then blocks of `@TIME command key=value ...`, a line of dashes, and the recorded effects.
 * `SUBLACE_RECORD=1 vitest run` writes the recordings again; read the difference before committing it.
 */
const folder = fileURLToPath(new URL('../testdata/', import.meta.url));

describe('scenarios', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const text = readFileSync(folder + name, 'utf8');
      const played = play(text);
      if (process.env.SUBLACE_RECORD) writeFileSync(folder + name, played);
      else expect(played).toBe(text);
    });
  }
});

describe('a history that is played twice', () => {
  it('gives the same states, which is what makes a log of events a backup', () => {
    for (const name of readdirSync(folder)) {
      const text = readFileSync(folder + name, 'utf8');
      expect(play(text)).toBe(play(text));
    }
  });
});

function play(text: string): string {
  let state = emptyState();
  let nowMs = 0;
  const out: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const [, time, command, rest] = /^@(\d+)s (\w+)(.*)$/.exec(line) ?? [];
    if (command === undefined) {
      if (line.startsWith('#')) out.push('', line);
      continue;
    }
    if (!out.at(-1)?.startsWith('#')) out.push('');
    out.push(line, '----');
    nowMs = Number(time) * 1000;
    const options = Object.fromEntries(
      [...rest.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, key, value]) => [key, value.replaceAll('"', '')]),
    );
    if (command === 'options') {
      state = emptyState({ leaseDurationMs: Number(options.lease) * 1000, attemptsMax: Number(options.attempts) });
      out.push('ok');
      continue;
    }
    const result = step(state, eventOf(command, options), nowMs);
    state = result.state;
    out.push(...result.effects.map((effect) => describeEffect(effect)));
  }
  return out.join('\n').trim() + '\n';
}

function eventOf(command: string, o: Record<string, string>): SchedulingEvent {
  const ref = { jobId: o.job, phase: o.phase as Phase, shard: Number(o.shard ?? 0), leaseToken: Number(o.token) } satisfies LeaseRef;
  switch (command) {
    case 'submitJob':
      return { type: 'submitJob', jobId: o.job, spec: {}, ...(o.priority && { priority: Number(o.priority) }) };
    case 'claimShard':
      return { type: 'claimShard', workerId: o.worker };
    case 'renewLease':
    case 'offerTiles':
    case 'releaseShard':
      return { type: command, ref };
    case 'completeShard':
      return {
        type: 'completeShard',
        ref,
        summary: o.shards ? { shards: Array.from({ length: Number(o.shards) }, (_, start) => ({ start, count: 1 })) } : {},
      };
    case 'failShard':
      return { type: 'failShard', ref, code: o.code as 'INTERNAL', message: o.message, retryable: o.retryable === 'yes' };
    case 'releaseWorker':
      return { type: 'releaseWorker', workerId: o.worker, reason: o.reason };
    case 'requeueExpired':
    case 'reopen':
      return { type: command };
    case 'cancelJob':
      return { type: 'cancelJob', jobId: o.job, reason: o.reason };
    case 'publishJob':
      return { type: 'publishJob', jobId: o.job };
    case 'failJob':
      return { type: 'failJob', jobId: o.job, code: o.code as 'INTERNAL', message: o.message };
    case 'restartPhase':
      return {
        type: 'restartPhase',
        jobId: o.job,
        phase: o.phase as Phase,
        ...(o.shards && { shards: o.shards === 'none' ? [] : o.shards.split(',').map(Number) }),
      };
    default:
      throw new Error(`unknown command ${command}`);
  }
}

function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case 'leased': {
      const { jobId, phase, shard, leaseToken, attempt, leaseExpiresAtMs } = effect.lease;
      return `leased: job ${jobId} ${phase} shard ${shard} token ${leaseToken} attempt ${attempt} until ${leaseExpiresAtMs / 1000}s`;
    }
    case 'renewed':
      return `renewed: until ${effect.leaseExpiresAtMs / 1000}s`;
    case 'fenced':
      return `FENCED: ${effect.message}`;
    case 'unknownJob':
      return `unknown job ${effect.jobId}`;
    case 'jobChanged':
      return `  job ${effect.jobId} is ${effect.state}${effect.failure ? `: ${effect.failure.code} ${effect.failure.message}` : ''}`;
    case 'phaseStarted':
      return `  job ${effect.jobId} starts ${effect.phase} with ${effect.shardCount} shard(s)${effect.shardsDone ? `, ${effect.shardsDone} of them done` : ''}`;
    case 'shardChanged':
      return `  shard ${effect.shard} is ${effect.state}, worker ${effect.workerId}${effect.reason ? ` (${effect.reason})` : ''}`;
    case 'jobFinalised':
      return `  job ${effect.jobId} can be published from the staging folder of token ${effect.leaseToken}`;
    default:
      return effect.type;
  }
}
