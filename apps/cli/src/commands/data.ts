import { Command } from 'commander';
import { dataDirectories, DOWNLOADABLE, downloadDataset, findDataset } from '@sublace/data';
import { formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

const MIB = 2 ** 20;

/** Data sets made from a seed; they need no files. */
const GENERATED = ['digits', 'toy-1d'];

function listCommand(terminal: () => Terminal): Command {
  return new Command('list').description('show the named data sets and where they are').action(() => {
    const names = [...GENERATED, ...DOWNLOADABLE];
    const rows = names.map((name) => ({ name, folder: GENERATED.includes(name) ? 'built in' : (findDataset(name) ?? null) }));
    terminal().result({ directories: dataDirectories(), datasets: rows }, () => {
      const cells = rows.map(({ name, folder }) => [name, folder ?? `not here; 'sublace data download ${name}'`]);
      return `${formatTable(['name', 'where'], cells)}\n\nlooked in: ${dataDirectories().join(', ')}`;
    });
  });
}

function downloadCommand(terminal: () => Terminal): Command {
  return new Command('download')
    .description('download a named data set into the cache, every byte verified')
    .argument('<name>', DOWNLOADABLE.join(', '))
    .action(async (name: string) => {
      const { progress: start, result } = terminal();
      const progress = start(name);
      const folder = await downloadDataset(name, {
        onProgress({ file, fileIndex, fileCount, receivedBytes, totalBytes }) {
          const share = totalBytes === undefined ? 0 : receivedBytes / totalBytes;
          progress.update(fileIndex + share, fileCount, `${file}, ${(receivedBytes / MIB).toFixed(1)} MiB`);
        },
      }).finally(() => progress.end());
      result({ name, folder }, () => `${name}: ${folder}`);
    });
}

/**
 * `sublace data list` and `sublace data download NAME`.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function dataCommand(terminal: () => Terminal): Command {
  return new Command('data')
    .description('named data sets: what is here, and downloads')
    .addCommand(listCommand(terminal))
    .addCommand(downloadCommand(terminal));
}
