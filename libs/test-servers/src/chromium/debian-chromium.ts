import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyLibraries, unpackDebianPackage } from '../install/debian-packages.ts';
import type { Installation } from '../install/install-once.ts';

/** Where a machine keeps its own fonts; the folder `fonts` beside the file has those that came with Chromium. */
const fontConfiguration = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** Debian's Chromium with the libraries and fonts of it that this machine lacks. */
export const debianChromium: Installation = {
  name: 'Debian packages',
  async install(folder) {
    const unpacked = await unpackDebianPackage('chromium', folder);
    cpSync(join(unpacked, 'usr', 'lib', 'chromium'), join(folder, 'chromium'), { recursive: true });
    copyLibraries(unpacked, join(folder, 'lib'));
    const fonts = join(unpacked, 'usr', 'share', 'fonts');
    if (existsSync(fonts)) cpSync(fonts, join(folder, 'fonts'), { recursive: true });
    writeFileSync(join(folder, 'fonts.conf'), fontConfiguration);
    rmSync(join(folder, 'work'), { recursive: true, force: true });
  },
};
