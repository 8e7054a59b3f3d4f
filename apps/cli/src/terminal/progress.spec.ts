import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { startProgress } from './progress.ts';

function shown(mode: 'bar' | 'lines' | 'silent'): string {
  const stream = new PassThrough();
  const progress = startProgress('score', mode, stream);
  progress.update(0, 4, 'shard 1');
  progress.update(2, 4, 'shard 2');
  progress.update(4, 4, 'shard 4');
  progress.end('4 shards');
  return String(stream.read() ?? '');
}

describe('startProgress', () => {
  it('writes plain lines off a terminal: the first, the last, and none in between that come too soon', () => {
    expect(shown('lines')).toBe('score: 0%  shard 1\nscore: 100%  shard 4\nscore: 4 shards\n');
  });

  it('writes nothing for machines', () => {
    expect(shown('silent')).toBe('');
  });
});
