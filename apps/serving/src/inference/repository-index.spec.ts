import { describe, expect, it } from 'vitest';
import type { IndexedVersion } from '../models/model-index.ts';
import { repositoryIndex } from './repository-index.ts';

function entry(version: string, state: IndexedVersion['state'], reason = ''): IndexedVersion {
  const since = '2026-01-01T00:00:00.000Z';
  return { name: 'm', version, state, reason, labels: [], share: 0, inFlight: 0, memoryBytes: 0, since, description: undefined };
}

const repository = (...entries: IndexedVersion[]): { index: () => IndexedVersion[] } => ({ index: () => entries });

describe('repositoryIndex', () => {
  it('tells states in the words of the protocol, and why a version is not ready', () => {
    const versions = repository(entry('1', 'ready'), entry('2', 'loading'), entry('3', 'failed', 'no such folder'), entry('4', 'draining'));
    expect(repositoryIndex(versions, false)).toEqual([
      { name: 'm', version: '1', state: 'READY', reason: '' },
      { name: 'm', version: '2', state: 'LOADING', reason: 'loading' },
      { name: 'm', version: '3', state: 'UNAVAILABLE', reason: 'no such folder' },
      { name: 'm', version: '4', state: 'UNLOADING', reason: 'draining' },
    ]);
    expect(repositoryIndex(versions, true).map(({ version }) => version)).toEqual(['1']);
  });

  it('names a version once when it has gone and come back', () => {
    const versions = repository(
      entry('1', 'ready'),
      entry('1', 'unloaded'),
      entry('2', 'unloaded'),
      entry('2', 'unloaded', 'unloaded on request'),
    );
    expect(repositoryIndex(versions, false)).toEqual([
      { name: 'm', version: '1', state: 'READY', reason: '' },
      { name: 'm', version: '2', state: 'UNAVAILABLE', reason: 'unloaded on request' },
    ]);
  });
});
