import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SublaceError } from '@sublace/errors';

/** A published file. */
export interface RemoteFile {
  /** Where it goes in the data set's folder. */
  path: string;
  /** Tried in order; all serve the same bytes. */
  urls: readonly string[];
  /** Of the published bytes, hexadecimal; left out where one checksum covers all files of the folder. */
  sha256?: string;
}

/** Called as bytes arrive; `totalBytes` is undefined where the server does not say. */
export type ByteProgress = (receivedBytes: number, totalBytes: number | undefined) => void;

const STALL_MS = 30_000;

/**
 * Downloads a file, verifies its checksum, and only then gives it its name (temporary name, fsync, rename).
 *
 * @param file  URLs and checksum.
 * @param target  Where it goes; its folder is made.
 * @param onProgress  Told as bytes arrive.
 * @returns  sha256 of what came, hexadecimal.
 * @throws SublaceError UNAVAILABLE when no URL can be reached, DIGEST_MISMATCH when what came has another checksum, OUTPUT_UNWRITABLE;
 *   nothing is left behind in any case.
 */
export async function downloadFile(file: RemoteFile, target: string, onProgress?: ByteProgress): Promise<string> {
  const temporary = `${target}.part`;
  const failures: SublaceError[] = [];
  try {
    await mkdir(dirname(target), { recursive: true });
    for (const url of file.urls) {
      try {
        const digest = await downloadOnce(url, file.sha256, temporary, onProgress);
        await rename(temporary, target);
        return digest;
      } catch (error) {
        if (!(error instanceof SublaceError)) throw error;
        failures.push(error);
      }
    }
  } catch (cause) {
    throw new SublaceError('OUTPUT_UNWRITABLE', `${target}: expected to write a downloaded file here, got ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    await removeQuietly(temporary);
  }
  const damaged = failures.some(({ code }) => code === 'DIGEST_MISMATCH');
  throw new SublaceError(damaged ? 'DIGEST_MISMATCH' : 'UNAVAILABLE', failures.map(({ message }) => message).join('; '), {
    cause: failures[0],
  });
}

/**
 * Removes a file or folder if it can: for clean-up after an error that is the one to report.
 *
 * @param path  May be missing.
 */
export async function removeQuietly(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

async function downloadOnce(
  url: string,
  sha256: string | undefined,
  temporary: string,
  onProgress: ByteProgress | undefined,
): Promise<string> {
  const output = await open(temporary, 'w');
  try {
    const hash = createHash('sha256');
    let received = 0;
    for await (const { bytes, totalBytes } of chunksOf(url)) {
      hash.update(bytes);
      received += bytes.length;
      await output.appendFile(bytes);
      onProgress?.(received, totalBytes);
    }
    await output.sync();
    const digest = hash.digest('hex');
    if (sha256 !== undefined && digest !== sha256) {
      throw new SublaceError('DIGEST_MISMATCH', `${url}: expected sha256 ${sha256}, got ${digest} (${received} bytes)`);
    }
    return digest;
  } finally {
    await output.close();
  }
}

async function* chunksOf(url: string): AsyncGenerator<{ bytes: Uint8Array; totalBytes: number | undefined }> {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), STALL_MS);
  try {
    const response = await fetch(url, { signal: stall.signal });
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    const length = Number(response.headers.get('content-length'));
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      timer.refresh();
      yield { bytes, totalBytes: length > 0 ? length : undefined };
    }
  } catch (cause) {
    const { message, cause: inner } = cause as Error;
    const reason = stall.signal.aborted
      ? `nothing for ${STALL_MS / 1000} s`
      : inner instanceof Error
        ? inner.message || String((inner as NodeJS.ErrnoException).code)
        : message;
    throw new SublaceError('UNAVAILABLE', `${url}: expected a download, got ${reason}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
