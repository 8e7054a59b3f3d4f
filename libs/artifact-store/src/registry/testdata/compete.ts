/**
 * One of several processes that use a registry at the same time: registers versions of its own and one that they share, moves a label, and prints what
 * it saw as JSON. Arguments: URI of the registry, index of the process, count of versions.
 */
import { createHash } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import { openRegistry } from '../open-registry.ts';

const [uri, index, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const registry = openRegistry(uri);
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const own: number[] = [];
const shared: number[] = [];
let moved = 0;
for (let i = 0; i < count; i++) {
  own.push((await registry.register('m', { uri: `/${index}/${i}`, digest: digestOf(`${index}/${i}`), facts: { index, i } })).version);
  shared.push((await registry.register('m', { uri: '/shared', digest: digestOf(`shared ${i}`) })).version);
  // One step further than what it was: each step of the label is made by exactly one process.
  const now = (await registry.pointers('m')).labels.steps;
  try {
    await registry.setPointer('m', 'steps', (now ?? 0) + 1, { expected: now ?? null });
    moved++;
  } catch (error) {
    if (SublaceError.from(error).code !== 'CONFLICT') throw error;
  }
}
await registry.close();
process.stdout.write(JSON.stringify({ own, shared, moved }));
