import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findToken, readTokens } from './tokens.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'sublace-tokens-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(content: string): string {
  const file = join(folder, 'tokens');
  writeFileSync(file, content);
  return file;
}

describe('readTokens', () => {
  it('reads names and plain tokens from files, with comments, and several from a variable', () => {
    const file = fileOf('# for the web shop\nshop:secret-1\r\n\nsecret-2\n');
    const tokens = readTokens([
      { role: 'inference', file },
      { role: 'admin', text: 'ops:secret-3 secret-4' },
    ]);
    expect(tokens.map(({ name, role }) => [name, role])).toEqual([
      ['shop', 'inference'],
      ['inference-2', 'inference'],
      ['ops', 'admin'],
      ['admin-2', 'admin'],
    ]);
    expect(findToken(tokens, 'Bearer secret-2')?.name).toBe('inference-2');
    expect(JSON.stringify(tokens)).not.toContain('secret');
  });

  it.each([
    ['none', '# nothing\n', /--inference-token-file .*: expected at least one token, got none/],
    ['a bad name', 'a b:secret-1', /token 1: expected NAME:TOKEN/],
    ['no token', 'a:', /token 'a': expected up to 4096 printable ASCII characters without spaces, got nothing/],
    ['a space', 'a:secret 1', /token 'a': expected .*, got 8 characters/],
    ['a name twice', 'a:secret-1\na:secret-2', /expected each name once, .* got 'a' twice/],
    ['a token twice', 'a:secret-1\nb:secret-1', /expected each token once, .* got that of 'b' twice/],
  ])('refuses a file with %s, without saying a token', (_, content, message) => {
    const read = (): unknown => readTokens([{ role: 'inference', file: fileOf(content) }]);
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) as string }));
    expect(read).not.toThrow(/secret/);
  });

  it('refuses a token that is both, and a file that is not there', () => {
    const both = (): unknown =>
      readTokens([
        { role: 'inference', text: 'same' },
        { role: 'admin', text: 'same' },
      ]);
    expect(both).toThrow(/over inference and admin/);
    expect(() => readTokens([{ role: 'admin', file: join(folder, 'none') }])).toThrow(/--admin-token-file .*none: .* got ENOENT/);
  });
});
