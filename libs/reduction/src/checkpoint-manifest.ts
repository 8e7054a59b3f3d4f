import { createHash } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import type { Phase } from '@sublace/scheduling';
import type { ContentKind } from './held-block.ts';
import type { JobSumsFrame } from './job-sums.ts';

/** One block in a checkpoint. */
export interface SavedBlock {
  name: string;
  phase: Phase;
  shape: number[];
  content: ContentKind;
  /** Place of its set of shards in {@link CheckpointManifest.shardSets}: most blocks have the same one. */
  shards: number;
  /** sha256 of its bytes, which is also the name of its object; as hex. */
  sha256: string;
  bytes: number;
}

/** What a checkpoint consists of. It is written last, in one piece, so that there is always one whole checkpoint or none. */
export interface CheckpointManifest {
  formatVersion: 1;
  jobId: string;
  holder: string;
  /** Differs from writer to writer: who finds another one here has been replaced. */
  writer: string;
  frame: JobSumsFrame;
  shardSets: string[];
  blocks: SavedBlock[];
}

/**
 * A manifest as bytes, behind its own digest.
 *
 * @param manifest  Any.
 * @returns  Two lines: sha256 as hex, JSON.
 */
export function encodeManifest(manifest: CheckpointManifest): Uint8Array {
  const text = JSON.stringify(manifest);
  return Buffer.from(`${digestOf(text)}\n${text}\n`);
}

/**
 * A manifest from its bytes.
 *
 * @param bytes  From {@link encodeManifest}.
 * @param expected  Whose it must be.
 * @param expected.jobId  Its job.
 * @param expected.holder  Who sums.
 * @returns  The manifest.
 * @throws SublaceError DIGEST_MISMATCH when it is damaged, or somebody else's.
 */
export function decodeManifest(bytes: Uint8Array, expected: { jobId: string; holder: string }): CheckpointManifest {
  const [digest, text] = Buffer.from(bytes).toString('utf8').split('\n');
  const where = `checkpoint ${expected.jobId}/${expected.holder}`;
  if (text === undefined || digestOf(text) !== digest) {
    throw new SublaceError('DIGEST_MISMATCH', `${where}: expected a manifest with its digest, got a damaged one`);
  }
  const manifest = JSON.parse(text) as CheckpointManifest;
  if (manifest.formatVersion === 1 && manifest.jobId === expected.jobId && manifest.holder === expected.holder) return manifest;
  throw new SublaceError(
    'DIGEST_MISMATCH',
    `${where}: expected its own manifest of format 1, got format ${manifest.formatVersion} of ${manifest.jobId}/${manifest.holder}`,
  );
}

/**
 * The digest that an object is known by.
 *
 * @param bytes  Content.
 * @returns  sha256 as hex.
 */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
