import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/**
 * Unpacks a Debian package, and everything it needs that this machine lacks, into a folder instead of installing it: needs no root.
 *
 * @param name  Of the package.
 * @param folder  Where to work; what is left in it afterwards is the caller's to remove.
 * @returns  Folder with the files of all packages, as they would lie under `/`.
 * @throws Error with one line when apt or its mirror is not there.
 */
export async function unpackDebianPackage(name: string, folder: string): Promise<string> {
  const work = join(folder, 'work');
  mkdirSync(work);
  try {
    await download(name, work, []);
  } catch {
    // The system's package lists are missing or older than the mirror; own ones need no root and leave the system as it is.
    await download(name, work, await ownPackageLists(join(work, 'apt')));
  }
  const unpacked = join(work, 'unpacked');
  for (const file of readdirSync(work).filter((each) => each.endsWith('.deb')))
    await runProgram('dpkg-deb', ['-x', join(work, file), unpacked]);
  return unpacked;
}

/** Downloads every package that an installation would bring. */
async function download(name: string, folder: string, options: string[]): Promise<void> {
  const plan = await runProgram('apt-get', [...options, 'install', '--simulate', '--no-install-recommends', name]);
  const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, each]) => each);
  await runProgram('apt-get', [...options, 'download', ...packages], { cwd: folder });
}

async function ownPackageLists(folder: string): Promise<string[]> {
  for (const name of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  const own = ['-o', `Dir::State::lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
  const options = [...own, '-o', 'APT::Sandbox::User=', '-o', 'Debug::NoLocking=1'];
  await runProgram('apt-get', [...options, 'update']);
  return options;
}

/**
 * Copies shared libraries from the folders of an unpacked package, named by the machine's kind, into one flat folder.
 *
 * @param unpacked  See {@link unpackDebianPackage}.
 * @param to  For `LD_LIBRARY_PATH`.
 */
export function copyLibraries(unpacked: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const from of [join(unpacked, 'usr', 'lib'), join(unpacked, 'lib')]) {
    if (!existsSync(from)) continue;
    for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
      // Links are copied as the files that they lead to.
      if (!/\.so(\.|$)/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      if (existsSync(path)) cpSync(realpathSync(path), join(to, entry.name));
    }
  }
}
