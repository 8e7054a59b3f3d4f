import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes the three forms of a report into a folder, which is made if need be: `report.json`, `report.md` and `report.svg`.
 *
 * @param folder  Where to.
 * @param report  The three forms.
 * @param report.json  Everything, for machines.
 * @param report.markdown  For readers; it shows the picture.
 * @param report.svg  The picture.
 */
export function writeReport(folder: string, { json, markdown, svg }: { json: unknown; markdown: string; svg: string }): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(json, null, 2)}\n`);
  writeFileSync(join(folder, 'report.md'), `${markdown}\n`);
  writeFileSync(join(folder, 'report.svg'), `${svg}\n`);
}
