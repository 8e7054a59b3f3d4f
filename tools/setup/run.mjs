/**
 * Entry of every npm script: brings what is missing (dependencies, the native TensorFlow runtime, generated protocol types, the built page), then runs
 * a command on the Node that the lock file pins. Plain JavaScript, no dependencies: it runs on the user's own Node, before any install.
 *
 *   node tools/setup/run.mjs                    set up only
 *   node tools/setup/run.mjs sublace fit ...    set up, then the command
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { withLock } from './lock.mjs';
import { ensurePage } from './page.mjs';
import { pinnedNode, root } from './paths.mjs';
import { ensureProtocolTypes } from './protocol-types.mjs';
import { ensureRuntime } from '../libtensorflow/runtime.mjs';

/** Commands that are not simply a program in node_modules/.bin. */
const scripts = {
  sublace: ['apps/cli/bin/sublace.mjs'],
  parity: ['tools/reference/parity.ts'],
  lint: ['tools/lint/run.mjs'],
  bench: ['tools/bench/run.ts'],
  faults: ['apps/e2e/src/faults/run-faults.ts'],
};

async function main([command, ...args]) {
  await withLock(join(root, '.sublace-setup.lock'), async () => {
    // Ctrl-C reaches every child through the terminal's process group; this process waits for them to end on their own terms.
    process.on('SIGINT', () => {});
    ensureDependencies();
    await ensureRuntime({ again: command === undefined });
    ensureProtocolTypes();
    ensurePage();
  });
  if (!command) return 0;

  const script = scripts[command] ?? [join('node_modules', '.bin', command)];
  if (!existsSync(join(root, script[0]))) {
    console.error(
      `setup: expected a known command, got '${command}'; known: ${Object.keys(scripts).join(', ')}, or a program of node_modules/.bin`,
    );
    return 2;
  }
  const paths = [join(root, 'node_modules', '.bin'), process.env.PATH].join(':');
  const options = {
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: paths,
      NX_DAEMON: process.env.NX_DAEMON ?? 'false',
      TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '3',
    },
  };
  return runToEnd(spawn(pinnedNode(), [...script.map((part) => join(root, part)), ...args], options));
}

/** Exit code of a child; passes on the signals that a terminal would not send to it by itself. */
function runToEnd(child) {
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status, signal) => resolve(status ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (error) => {
    console.error(`setup: ${error.message}`);
    process.exit(error.message === 'interrupted' ? 130 : 1);
  },
);
