import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SublaceError } from '@sublace/errors';
import { FreshSecrets } from './keep-fresh.ts';
import { findToken, readTokens, type KnownToken } from './tokens.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Tokens that the test changes, and what comes of it. */
function kept(): { text: { now: string }; set: KnownToken[][]; said: string[]; secrets: FreshSecrets } {
  const text = { now: 'first-secret' };
  const [set, said]: [KnownToken[][], string[]] = [[], []];
  const readNow = (): KnownToken[] => {
    if (text.now === '') throw new SublaceError('INVALID_ARGUMENT', 'expected at least one token, got none');
    return readTokens([{ role: 'inference', text: text.now }]);
  };
  const setTokens = (tokens: readonly KnownToken[]): void => void set.push([...tokens]);
  const log = {
    info: (_fields: object, message: string) => void said.push(message),
    error: (fields: object, message: string) => void said.push(`${message}: ${JSON.stringify(fields)}`),
  };
  return { text, set, said, secrets: new FreshSecrets({ certificates: undefined, readTokens: readNow, setTokens }, log) };
}

describe('FreshSecrets', () => {
  it('notices by itself that tokens have changed, and only then', () => {
    const { text, set, said, secrets } = kept();
    vi.advanceTimersByTime(60_000);
    expect(set).toEqual([]);
    text.now = 'second-secret';
    vi.advanceTimersByTime(60_000);
    expect(set).toHaveLength(1);
    expect(findToken(set[0], 'Bearer second-secret')?.name).toBe('inference-1');
    expect(said).toEqual(['tokens have changed and are in use']);
    secrets.stop();
    text.now = 'third-secret';
    vi.advanceTimersByTime(60_000);
    expect(set).toHaveLength(1);
  });

  it('keeps what it has when files are no good, says so once, and goes on looking', () => {
    const { text, set, said, secrets } = kept();
    text.now = '';
    secrets.reload();
    vi.advanceTimersByTime(60_000);
    expect(set).toEqual([]);
    expect(said).toEqual([expect.stringMatching(/stays in use: .*tokens: expected at least one token, got none/)]);
    text.now = 'second-secret';
    secrets.reload();
    expect(set).toHaveLength(1);
    secrets.stop();
  });
});
