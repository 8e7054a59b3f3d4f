import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** One file of the page, as it goes out. */
export interface StaticFile {
  /** With its slash: `/`, `/assets/index-1a2b3c4d.js`. */
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** The same, compressed; null where that makes it no smaller. */
  readonly gzipped: Buffer | null;
  /** Changes with the contents. */
  readonly etag: string;
  /** Whether its name changes with its contents, so that it may be kept for ever. */
  readonly isHashed: boolean;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const compress = promisify(gzip);

/**
 * Reads the page that `vite build` has made: `index.html`, and its assets with hashed names. Everything is read now; a request chooses among
 * what was read, and reaches no file.
 *
 * @param folder  Where it was built.
 * @returns  Its files, `index.html` as `/`; null when the page is not built.
 * @throws Error of the file system, other than for a page that is not there.
 */
export async function loadStaticFiles(folder: URL): Promise<StaticFile[] | null> {
  const index = await readFile(new URL('index.html', folder)).catch(nullIfMissing);
  if (!index) return null;
  const assets = new URL('assets/', folder);
  const names = (await readdir(assets).catch(nullIfMissing)) ?? [];
  // Source maps are for those who have the sources.
  const shipped = names.filter((name) => extname(name) in contentTypes).sort();
  return Promise.all([
    fileOf('/', '.html', index, false),
    ...shipped.map(async (name) => fileOf(`/assets/${name}`, extname(name), await readFile(new URL(name, assets)), true)),
  ]);
}

async function fileOf(path: string, extension: string, body: Buffer, isHashed: boolean): Promise<StaticFile> {
  const gzipped = await compress(body, { level: 9 });
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
  return {
    path,
    contentType: contentTypes[extension],
    body,
    gzipped: gzipped.length < body.length ? gzipped : null,
    etag,
    isHashed,
  };
}

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
