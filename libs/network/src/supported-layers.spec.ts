import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { REFUSED_LAYERS } from './model/builders/refused.ts';
import { SUPPORTED_LAYERS } from './model/build-layer.ts';

const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Rows of the table: class, options, refused, route, test. */
const rows = readFileSync(pathOf('../../docs/layers.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (Class|-+) /.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim().replace(/^_|_$/g, '')))
  .map(([, className, , , route, test]) => ({ className, route, test }));

const classesBy = (route: string): string[] => rows.filter((row) => row.route === route).map(({ className }) => className);

/** Layers that tf.js itself has. */
function tfjsLayers(): string[] {
  const map = tf.serialization.SerializationMap.getMap().classNameMap as unknown as Readonly<Record<string, [{ prototype: unknown }]>>;
  const isPart = (name: string): boolean => /Cells?$|^(Model|Functional|Sequential)$/.test(name);
  return Object.keys(map).filter((name) => map[name][0].prototype instanceof tf.layers.Layer && !isPart(name));
}

describe('docs/layers.md', () => {
  it('has each layer with a rule once, and no other as such', () => {
    expect(classesBy('own').sort()).toEqual([...SUPPORTED_LAYERS].sort());
  });

  it('says of every layer of tf.js what becomes of it', () => {
    expect(tfjsLayers().length).toBeGreaterThan(50);
    expect(tfjsLayers().filter((name) => !rows.some(({ className }) => className === name))).toEqual([]);
  });

  it('knows what is refused with a reason', () => {
    const refused = Object.keys(REFUSED_LAYERS).filter((name) => tfjsLayers().includes(name));
    expect(classesBy('none')).toEqual(expect.arrayContaining(refused));
    expect(classesBy('tf.js').filter((name) => Object.hasOwn(REFUSED_LAYERS, name))).toEqual([]);
  });

  it('names a test for each row that is there', () => {
    for (const { className, test } of rows) {
      expect(test, className).toMatch(/^(T `[^`]+`(, J)?|J|`[^`]+`)$/);
      for (const [, path] of test.matchAll(/`([^`]+)`/g)) expect(existsSync(pathOf(path)), path).toBe(true);
    }
  });
});
