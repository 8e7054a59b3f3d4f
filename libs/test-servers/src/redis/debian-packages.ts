import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Installation } from '../install/install-once.ts';
import { runProgram } from '../install/run-program.ts';

/** Debian's redis-server and the libraries of it that this machine lacks, unpacked into a folder instead of installed: needs no root. */
export const debianPackages: Installation = {
  name: 'Debian packages',
  async install(folder) {
    const work = join(folder, 'work');
    mkdirSync(work);
    try {
      await download(work, []);
    } catch {
      // The system's package lists are missing or older than the mirror; own ones need no root and leave the system as it is.
      const own = await ownPackageLists(join(folder, 'apt'));
      await download(work, own);
    }
    const unpacked = join(work, 'unpacked');
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb')))
      await runProgram('dpkg-deb', ['-x', join(work, file), unpacked]);
    mkdirSync(join(folder, 'bin'));
    cpSync(realpathSync(join(unpacked, 'usr', 'bin', 'redis-server')), join(folder, 'bin', 'redis-server'));
    for (const libraries of [join(unpacked, 'usr', 'lib'), join(unpacked, 'lib')]) copyLibraries(libraries, join(folder, 'lib'));
    for (const name of ['work', 'apt']) rmSync(join(folder, name), { recursive: true, force: true });
  },
};

/** Downloads every package that an installation of redis-server would bring. */
async function download(folder: string, options: string[]): Promise<void> {
  const plan = await runProgram('apt-get', [...options, 'install', '--simulate', '--no-install-recommends', 'redis-server']);
  const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name);
  await runProgram('apt-get', [...options, 'download', ...packages], { cwd: folder });
}

async function ownPackageLists(folder: string): Promise<string[]> {
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  const own = ['-o', `Dir::State::lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
  const options = [...own, '-o', 'APT::Sandbox::User=', '-o', 'Debug::NoLocking=1'];
  await runProgram('apt-get', [...options, 'update']);
  return options;
}

/** Shared libraries, from folders named by the machine's kind into one flat folder. */
function copyLibraries(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    // Links are copied as the files that they lead to.
    if (!/\.so(\.|$)/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    if (existsSync(path)) cpSync(realpathSync(path), join(to, entry.name));
  }
}
