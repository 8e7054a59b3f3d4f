import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isS3Uri, uploadArtifact } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';

/** Where a task writes what is to be published. */
export interface Staging {
  /** A folder on this machine. */
  folder: string;
  /**
   * Brings what was written to where the coordinator wants it.
   *
   * @throws SublaceError CANCELLED when the signal ended it; that of the store.
   */
  deliver(signal: AbortSignal): Promise<void>;
  /** Removes what only this machine needs. */
  dispose(): Promise<void>;
}

/** Start of the names of temporary folders; the process follows, so that those of a killed one can be told. */
const prefix = `sublace-staging-${hostname()}-`;

/**
 * Prepares to write an artifact: into the folder that the coordinator made, or, for a bucket, into a temporary one that is then uploaded.
 *
 * @param place  What the coordinator said: a path, or an `s3://` URI below the output.
 * @returns  The folder; the caller disposes of it.
 * @throws SublaceError OUTPUT_UNWRITABLE when a temporary folder cannot be made.
 */
export async function openStaging(place: string): Promise<Staging> {
  if (!isS3Uri(place)) return { folder: place, deliver: () => Promise.resolve(), dispose: () => Promise.resolve() };
  await removeLeftOvers();
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`)).catch((cause: unknown) => {
    throw new SublaceError(
      'OUTPUT_UNWRITABLE',
      `${tmpdir()}: expected to make a temporary folder, got ${(cause as Error).message}; set TMPDIR`,
      {
        cause,
      },
    );
  });
  return {
    folder,
    async deliver(signal) {
      try {
        await uploadArtifact(folder, place, signal);
      } catch (error) {
        const { code, message } = SublaceError.from(error);
        // To a worker NOT_FOUND means that its job is gone; here it is the bucket.
        throw code === 'NOT_FOUND' ? new SublaceError('OUTPUT_UNWRITABLE', message, { cause: error }) : error;
      }
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Removes the folders of workers of this machine that were killed. */
async function removeLeftOvers(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const pid = name.startsWith(prefix) ? Number(/^(\d+)-/.exec(name.slice(prefix.length))?.[1]) : NaN;
    if (pid > 0 && !isAlive(pid)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
