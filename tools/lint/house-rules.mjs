/** Rules of the house that no linter knows: what may not stand in a tracked file, and how large a file may be. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

const sizeBytesMax = 500_000;
const sourceLinesMax = 400;
const machinePath = /(?<![\w.:/~$}-])\/(?:work|root|home|Users|tmp\/[a-z]+-[a-z]+)\/[\w.-]/;
const registry = /https?:\/\/[^\s"')]*(?:registry\.|npmjs|pypi|pythonhosted|artifactory|nexus)[^\s"')]*/i;
const wildcardExport = /^\s*export\s+\*/m;

/** Files that git tracks or would track. */
function files() {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return [...new Set(list.split('\0'))].filter((name) => name && existsSync(join(root, name)));
}

/**
 * What a text file breaks.
 *
 * @param {string} name  Path from the workspace root.
 * @param {string} text  Its content.
 * @returns {string[]}  One line per broken rule.
 */
export function broken(name, text) {
  const problems = [];
  const lines = text.split('\n');
  if (name === 'package-lock.json') {
    if (/"resolved": "(?:https?|git)/.test(text)) problems.push(`${name}: names a registry; install with the repository's .npmrc`);
    return problems;
  }
  lines.forEach((line, index) => {
    const path = machinePath.exec(line)?.[0];
    if (path && !name.startsWith('deploy/docker/')) problems.push(`${name}:${index + 1}: machine path '${path}'`);
    const host = registry.exec(line)?.[0];
    if (host) problems.push(`${name}:${index + 1}: registry address '${host}'`);
  });
  if (/\.(ts|mjs|cjs|py)$/.test(name) && lines.length > sourceLinesMax)
    problems.push(`${name}: ${lines.length} lines, more than ${sourceLinesMax}; one idea per file`);
  if (/\/index\.ts$/.test(name) && wildcardExport.test(text)) problems.push(`${name}: wildcard export; export by name`);
  return problems;
}

/**
 * Scans the repository.
 *
 * @returns {string[]}  One line per broken rule; empty when all hold.
 */
export function checkHouseRules() {
  return files().flatMap((name) => {
    const size = statSync(join(root, name)).size;
    const tooLarge = size > sizeBytesMax && name !== 'package-lock.json' ? [`${name}: ${size} bytes, more than ${sizeBytesMax}`] : [];
    const bytes = size > sizeBytesMax && name !== 'package-lock.json' ? Buffer.alloc(0) : readFileSync(join(root, name));
    return bytes.subarray(0, 8000).includes(0) ? tooLarge : [...tooLarge, ...broken(name, bytes.toString('utf8'))];
  });
}
