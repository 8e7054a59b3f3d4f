import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Scripts that own or regain a namespace; all others are fenced by the session. */
const UNFENCED = ['take-over', 'resume'] as const;
const FENCED = [
  'renew-leader',
  'release-leader',
  'submit-job',
  'claim-shard',
  'renew-lease',
  'complete-shard',
  'fail-shard',
  'release-shard',
  'release-worker',
  'requeue-expired',
  'end-job',
  'publish-job',
  'restart-phase',
] as const;

/** Name of a script: its file in ./scripts without the extension. */
export type ScriptName = (typeof UNFENCED)[number] | (typeof FENCED)[number];

/** A script as Redis gets it. */
export interface Script {
  source: string;
  /** What Redis calls it once it is loaded. */
  sha1: string;
}

let known: Record<ScriptName, Script> | undefined;

/**
 * Every script, read at the first call.
 *
 * @returns  The scripts, each complete with what stands in front of it.
 */
export function scripts(): Readonly<Record<ScriptName, Script>> {
  return (known ??= readScripts());
}

function readScripts(): Record<ScriptName, Script> {
  // Found through the package, not beside this file: an app's bundle lies elsewhere.
  const folder = new URL('src/redis/scripts/', import.meta.resolve('@sublace/job-store/package.json'));
  const read = (name: string): string => readFileSync(new URL(`${name}.lua`, folder), 'utf8');
  const [common, fence] = [read('common'), read('fence')];
  const sources = [
    ...UNFENCED.map((name) => [name, common + read(name)] as const),
    ...FENCED.map((name) => [name, common + fence + read(name)] as const),
  ];
  const complete = sources.map(([name, source]) => [name, { source, sha1: createHash('sha1').update(source).digest('hex') }]);
  return Object.fromEntries(complete) as Record<ScriptName, Script>;
}
