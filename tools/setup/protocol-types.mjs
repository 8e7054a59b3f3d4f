/** TypeScript types of the protobuf messages, generated from proto/ into libs/protocol/src/generated (not committed). */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedNode, root } from './paths.mjs';

/** Packages of proto/ in the order that their types are generated. */
const packages = ['sublace/v1', 'inference', 'grpc/reflection/v1'];

function protoFiles() {
  return packages.flatMap((folder) => {
    const path = join(root, 'proto', folder);
    return existsSync(path)
      ? readdirSync(path)
          .filter((name) => name.endsWith('.proto'))
          .map((name) => join(folder, name))
      : [];
  });
}

/**
 * Generates the types when they are missing or older than a .proto file.
 *
 * @throws {Error} when the generator fails.
 */
export function ensureProtocolTypes() {
  const files = protoFiles();
  if (files.length === 0) return;
  const out = join(root, 'libs', 'protocol', 'src', 'generated');
  const newest = Math.max(...files.map((file) => statSync(join(root, 'proto', file)).mtimeMs));
  if (existsSync(out) && statSync(out).mtimeMs > newest) return;

  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const generator = join(root, 'node_modules', '@grpc', 'proto-loader', 'build', 'bin', 'proto-loader-gen-types.js');
  const options = [
    '--longs=Number',
    '--enums=String',
    '--defaults',
    '--oneofs',
    '--includeDirs=proto',
    '--grpcLib=@grpc/grpc-js',
    '--targetFileExtension=.ts',
    '--importFileExtension=.ts',
  ];
  const run = spawnSync(pinnedNode(), [generator, ...options, `--outDir=${out}`, ...files], { cwd: root, encoding: 'utf8' });
  if (run.status !== 0) {
    rmSync(out, { recursive: true, force: true });
    throw new Error(`generating protocol types failed: ${run.stderr}`);
  }
}
