#!/usr/bin/env node
/** Starts the command line, on the Node that the workspace pins when the running one cannot run TypeScript sources as they are. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'src', 'main.ts');

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  await import(main);
} else {
  const binary = join(here, '..', '..', '..', 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (!existsSync(binary)) {
    console.error(
      `sublace: expected Node ${NODE_MAJOR_MIN} or newer, got ${process.versions.node}; run 'npm run setup' once, or use a newer Node`,
    );
    process.exit(2);
  }
  const child = spawn(binary, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes; this one waits for the other to end on its own terms.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (status, signal) => process.exit(status ?? (signal === 'SIGINT' ? 130 : 1)));
}
