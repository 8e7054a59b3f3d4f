import { fileURLToPath } from 'node:url';
import type { Role } from '@sublace/roles';

/** True when these are the sources that Node runs as they are, false in the bundle that `npm run build` makes. */
const isSource = import.meta.url.endsWith('.ts');

/**
 * The file that starts a role.
 *
 * @param role  Which part.
 * @returns  Absolute path of its main module.
 */
export function roleEntry(role: Role): string {
  return fileURLToPath(new URL(isSource ? `../../../${role}/src/main.ts` : `../../${role}/dist/main.js`, import.meta.url));
}

/**
 * The module that ends a child process when its parent is gone.
 *
 * @returns  Absolute path, for Node's `--import`.
 */
export function endWithParentEntry(): string {
  return fileURLToPath(new URL(isSource ? './end-with-parent.ts' : './end-with-parent.js', import.meta.url));
}
