import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from './download/catalogue.ts';
import { findDataset, loadDataset, type Dataset } from './index.ts';

/** A test on published data, where it is; elsewhere a skipped one that says what it needs. */
function onData(name: string, title: string, body: () => Promise<void>): void {
  if (findDataset(name) === undefined)
    it.skip(`skipped: needs ${name} in SUBLACE_DATA, SUBLACE_SHARED/data or the user cache: ${title}`, body);
  else it(title, body);
}

const labelsOf = ({ targets }: Dataset) => (targets.kind === 'labels' ? [...targets.labels] : []);

describe('published data', () => {
  onData('mnist', 'mnist: 60,000 and 10,000 images, the well-known first labels and mean', async () => {
    const train = await loadDataset('mnist');
    expect([train.count, train.inputShape, labelsOf(train).slice(0, 5)]).toEqual([60_000, [28, 28, 1], [5, 0, 4, 1, 9]]);
    expect(train.inputs.reduce((sum, value) => sum + value, 0) / train.inputs.length / 255).toBeCloseTo(0.1307, 4);
    const test = await loadDataset('mnist', { split: 'test' });
    expect([test.count, labelsOf(test).slice(0, 5)]).toEqual([10_000, [7, 2, 1, 0, 4]]);
  });

  onData('fashion-mnist', 'fashion-mnist: 1,000 test images of each class', async () => {
    const test = await loadDataset('fashion-mnist?split=test');
    const counts = new Array<number>(10).fill(0);
    for (const label of labelsOf(test)) counts[label]++;
    expect(counts).toEqual(new Array<number>(10).fill(1000));
  });

  onData('cifar10', 'cifar10: colour images, a frog first; the name says so when it is a subset', async () => {
    const train = await loadDataset('cifar10?limit=10000');
    expect([train.count, train.inputShape, labelsOf(train).slice(0, 5)]).toEqual([10_000, [32, 32, 3], [6, 9, 9, 4, 1]]);
    expect(train.name).toBe(findDataset('cifar10')!.endsWith('subset') ? 'cifar10-subset' : 'cifar10');
    expect([...train.inputs.slice(0, 3)]).toEqual([59, 62, 63]); // red, green and blue of the first pixel
  });

  onData('uci-wine', 'uci-wine: 1,439 and 160 rows of a random split, 1,067 and 532 of a gap split', async () => {
    const counts = await Promise.all(
      ['uci-wine', 'uci-wine?split=test', 'uci-wine:gap', 'uci-wine:gap?split=test'].map(async (spec) => (await loadDataset(spec)).count),
    );
    expect(counts).toEqual([1439, 160, 1067, 532]);
  });

  onData('uci-wine', 'uci-wine: a gap split leaves no training row inside the interval of its feature', async () => {
    for (const k of [0, 5, 10]) {
      const feature = ({ inputs }: Dataset) => inputs.filter((_, i) => i % 11 === k).sort();
      const test = feature(await loadDataset(`uci-wine:gap:${k}?split=test`));
      const train = feature(await loadDataset(`uci-wine:gap:${k}`));
      expect(train.some((value) => value > test[0] && value < test.at(-1)!)).toBe(false);
    }
  });

  for (const [name, width, rows] of [
    ['boston', 13, 506],
    ['concrete', 8, 1030],
    ['energy', 8, 768],
    ['power', 4, 9568],
    ['yacht', 6, 308],
  ] as const) {
    onData(`uci-${name}`, `uci-${name}: ${rows} rows, ${width} features, one target`, async () => {
      const all = await loadDataset(`uci-${name}:gap:${width - 1}?split=all`);
      expect([all.count, all.inputShape, all.targets.kind === 'values' && all.targets.width]).toEqual([rows, [width], 1]);
    });
  }
});

describe('the catalogue of downloads', () => {
  for (const [name, { files, treeSha256 }] of Object.entries(CATALOGUE)) {
    if (name === 'cifar10') continue; // published as one archive; its first batch is checked after unpacking
    onData(name, `${name}: its checksums are those of the files here`, async () => {
      const digest = async (path: string) =>
        createHash('sha256')
          .update(await readFile(join(findDataset(name)!, path)))
          .digest('hex');
      let tree = '';
      for (const { path, sha256 } of files) {
        const own = await digest(path);
        if (sha256 !== undefined) expect(own).toBe(sha256);
        tree += `${own}  ${path}\n`;
      }
      if (treeSha256 !== undefined) expect(createHash('sha256').update(tree).digest('hex')).toBe(treeSha256);
    });
  }
});
