import { cpSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyLibraries, unpackDebianPackage } from '../install/debian-packages.ts';
import type { Installation } from '../install/install-once.ts';

/** Debian's redis-server and the libraries of it that this machine lacks. */
export const debianPackages: Installation = {
  name: 'Debian packages',
  async install(folder) {
    const unpacked = await unpackDebianPackage('redis-server', folder);
    mkdirSync(join(folder, 'bin'));
    cpSync(realpathSync(join(unpacked, 'usr', 'bin', 'redis-server')), join(folder, 'bin', 'redis-server'));
    copyLibraries(unpacked, join(folder, 'lib'));
    rmSync(join(folder, 'work'), { recursive: true, force: true });
  },
};
