import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { MANIFEST_NAME, readManifest, type ArtifactManifest } from '../manifest.ts';
import { verifyFiles } from '../verify.ts';

/**
 * Where artifacts are kept that were downloaded, each in a folder of its own.
 *
 * @param env  `SUBLACE_ARTIFACT_CACHE`, else `artifacts` in `SUBLACE_CACHE`, `$XDG_CACHE_HOME/sublace` or `~/.cache/sublace`.
 * @returns  Path of the folder, which need not be there.
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env.SUBLACE_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sublace');
  return env.SUBLACE_ARTIFACT_CACHE ?? join(own, 'artifacts');
}

/**
 * Whether an artifact is there as it was published.
 *
 * @param folder  Where it may be.
 * @returns  False when it is missing, or was damaged since.
 */
export async function isWhole(folder: string): Promise<boolean> {
  try {
    await verifyFiles(await readAny(folder), folder);
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds an artifact that was downloaded before, without asking the bucket: for when that cannot be reached, and it is known which artifact it must be.
 *
 * @param digest  The `digest` that its manifest names; the artifact may also be one folder of a sequence.
 * @param env  Says where the cache is.
 * @returns  Path of its folder, verified: the latest download, where there are several; undefined when there is none.
 */
export async function cachedArtifact(digest: string, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const cache = cacheFolder(env);
  const names = await readdir(cache).catch(() => []);
  const folders = names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => join(cache, name));
  const downloads = await Promise.all(folders.map(async (folder) => ({ folder, atMs: await modifiedAtMs(folder) })));
  for (const { folder } of downloads.sort((a, b) => b.atMs - a.atMs)) {
    const inside = await folderOfDigest(folder, digest);
    if (inside !== undefined && (await isWhole(folder))) return inside;
  }
  return undefined;
}

/** The artifact itself, or the one inside it that has the digest. */
async function folderOfDigest(folder: string, digest: string): Promise<string | undefined> {
  const manifest = await readAny(folder).catch(() => undefined);
  if (manifest === undefined || manifest.digest === digest) return manifest && folder;
  for (const { name } of manifest.files) {
    if (!name.endsWith(`/${MANIFEST_NAME}`)) continue;
    const part = join(folder, dirname(name));
    if ((await readAny(part).catch(() => undefined))?.digest === digest) return part;
  }
  return undefined;
}

/** A manifest of whatever layout: what is in the files is not looked at. */
function readAny(folder: string): Promise<ArtifactManifest> {
  return readManifest(folder, { formatVersionMax: Number.MAX_SAFE_INTEGER });
}

async function modifiedAtMs(folder: string): Promise<number> {
  return (await stat(folder).catch(() => undefined))?.mtimeMs ?? 0;
}
