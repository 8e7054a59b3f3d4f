import { link, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../check-writable.ts';
import { conflict } from '../keys.ts';
import { etagOfFile } from './etag-of-file.ts';

/** Between the name of an object and the etag of its predecessor, in the name of a claim. */
export const CLAIMED = '.after-';

/** Longer than a process that lives can be held up between reading an etag and making a claim. */
const CLAIM_KEPT_MS = 3_600_000;

/**
 * Puts a new file in the place of one that is known by its etag, and of no other: compare-and-set among processes, with no lock that a killed one
 * could keep.
 *
 * Each file can have one successor: whoever first makes a claim, a file named after the predecessor's etag that holds the name of the successor. The
 * claim stays, so nobody can make it again; the successor's own name goes when it is renamed into place, so this happens once. Anybody who
 * finds the claim may do that renaming, should its maker have been killed before it did. A key that is exchanged should not be written without a
 * condition: a claim that was just made would win over that.
 *
 * @param path  The file to be succeeded.
 * @param etag  Its etag.
 * @param written  The new file, in the same folder; it is gone afterwards, or for the caller to remove on an error.
 * @throws SublaceError CONFLICT when the file is another one or gone.
 */
export async function exchange(path: string, etag: string, written: string): Promise<void> {
  if (!(await isCurrent(path, etag))) throw conflict(path, false);
  const claim = join(dirname(path), `.${basename(path)}${CLAIMED}${etag}`);
  const draft = `${written}.claim`;
  await writeFile(draft, basename(written), { flag: 'wx', flush: true });
  try {
    await link(draft, claim);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    await keepClaim(path, etag, claim);
    throw conflict(path, false);
  } finally {
    await unlink(draft);
  }
  // A claim is made too late only where the one before was removed for its age.
  if (!(await isCurrent(path, etag)) && (await isThere(written))) {
    await unlink(claim);
    throw conflict(path, false);
  }
  await ifThere(rename(written, path));
  await removeOldClaims(path);
}

/**
 * Renames the successor that a claim names into place, unless that was done before.
 *
 * @param path  The file that is succeeded.
 * @param etag  Its etag, which the claim is made for.
 * @param claim  The claim.
 */
export async function keepClaim(path: string, etag: string, claim: string): Promise<void> {
  const successor = await readFile(claim, 'utf8').catch(() => undefined);
  if (successor !== undefined && basename(successor) === successor && (await isCurrent(path, etag)))
    await ifThere(rename(join(dirname(path), successor), path));
}

async function removeOldClaims(path: string): Promise<void> {
  const prefix = `.${basename(path)}${CLAIMED}`;
  const current = (await etagOfFile(path))?.etag;
  for (const name of (await readdir(dirname(path))).filter((each) => each.startsWith(prefix) && each !== prefix + String(current))) {
    const claim = join(dirname(path), name);
    const entry = await stat(claim).catch(() => undefined);
    if (entry && Date.now() - entry.mtimeMs > CLAIM_KEPT_MS) await ifThere(unlink(claim));
  }
}

async function isCurrent(path: string, etag: string): Promise<boolean> {
  return (await etagOfFile(path))?.etag === etag;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Waits for an action on a file that may be gone already. */
async function ifThere(action: Promise<void>): Promise<void> {
  await action.catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
}
