import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SublaceError } from '@sublace/errors';

/** What a token lets its holder do: ask for predictions, or also change what is served. */
export type TokenRole = 'inference' | 'admin';

/** A token that the server knows. The token itself is not kept, only its digest. */
export interface KnownToken {
  /** In logs, and for limits. */
  readonly name: string;
  readonly role: TokenRole;
  readonly digest: Buffer;
}

/** Where tokens of one role come from. */
export interface TokenSource {
  readonly role: TokenRole;
  /** A file with one token a line: `NAME:TOKEN` or `TOKEN`; lines that are empty or begin with `#` mean nothing. */
  readonly file?: string | undefined;
  /** The same, from the environment, parted by white space. */
  readonly text?: string | undefined;
}

/** Every known token is compared with every call. */
const tokensMax = 1000;

/** As the roles of a cluster have it: far below what a header may have. */
const tokenLengthMax = 4096;

/**
 * Reads all tokens of the server.
 *
 * @param sources  Files and variables.
 * @returns  None when no source names any.
 * @throws SublaceError INVALID_ARGUMENT for a file that cannot be read or holds none, a token that could not be sent, a name or token twice. No
 *   message holds a token.
 */
export function readTokens(sources: readonly TokenSource[]): KnownToken[] {
  const tokens = sources.flatMap(({ role, file, text }) => [
    ...(file === undefined ? [] : tokensOf(role, `--${role}-token-file ${file}`, readLines(role, file))),
    ...(text === undefined ? [] : tokensOf(role, `SUBLACE_SERVE_${role.toUpperCase()}_TOKEN`, text.split(/\s+/))),
  ]);
  const twice = (values: readonly string[]): number => values.findIndex((value, i) => values.indexOf(value) !== i);
  const name = twice(tokens.map((token) => token.name));
  if (name !== -1) throw refused('tokens', 'each name once, over inference and admin', `'${tokens[name].name}' twice`);
  const digest = twice(tokens.map((token) => token.digest.toString('hex')));
  if (digest !== -1) throw refused('tokens', 'each token once, over inference and admin', `that of '${tokens[digest].name}' twice`);
  if (tokens.length > tokensMax) throw refused('tokens', `at most ${tokensMax}`, String(tokens.length));
  return tokens;
}

/**
 * The token that a call came with, found in a time that does not depend on what it is.
 *
 * @param tokens  Those that are known.
 * @param authorization  The header or metadata value, if any.
 * @returns  Null for none or one that is not known.
 */
export function findToken(tokens: readonly KnownToken[], authorization: string | undefined): KnownToken | null {
  const sent = digestOf(/^bearer +(\S+)\s*$/i.exec(authorization ?? '')?.[1] ?? '');
  let found: KnownToken | null = null;
  for (const token of tokens) if (timingSafeEqual(token.digest, sent)) found = token;
  return found;
}

function tokensOf(role: TokenRole, where: string, lines: readonly string[]): KnownToken[] {
  const entries = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (entries.length === 0) throw refused(where, 'at least one token', 'none');
  return entries.map((entry, i) => {
    const colon = entry.indexOf(':');
    const name = colon === -1 ? `${role}-${i + 1}` : entry.slice(0, colon);
    const token = entry.slice(colon + 1);
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
      throw refused(`${where}, token ${i + 1}`, "NAME:TOKEN with a name of letters, digits, '.', '_' and '-'", 'another name');
    }
    if (!/^[\x21-\x7e]+$/.test(token) || token.length > tokenLengthMax) {
      const got = token === '' ? 'nothing' : `${token.length} characters`;
      throw refused(`${where}, token '${name}'`, `up to ${tokenLengthMax} printable ASCII characters without spaces`, got);
    }
    return { name, role, digest: digestOf(token) };
  });
}

function readLines(role: TokenRole, file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refused(`--${role}-token-file ${file}`, 'a file that can be read', `${code}; check path and rights`, error);
  }
}

/** Digests have one length: comparing them tells nothing of a token's. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function refused(where: string, expected: string, got: string, cause?: unknown): SublaceError {
  return new SublaceError('INVALID_ARGUMENT', `${where}: expected ${expected}, got ${got}`, { cause });
}
