/**
 * The boundary rules, tried: each file of fixtures/ breaks one rule (or none) and says where it pretends to lie and which rule must report it.
 *
 * With no project graph the Nx rule reports nothing and passes, so the graph is made first and the fixtures are the proof that it was used.
 */
import { createProjectGraphAsync } from '@nx/devkit';
import { ESLint } from 'eslint';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../setup/paths.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const rules = ['@nx/enforce-module-boundaries', 'no-restricted-imports'];

/**
 * Lints every fixture with the workspace's own configuration.
 *
 * @returns {Promise<string[]>}  One line per fixture whose report is not the expected one; empty when the rules hold.
 */
export async function checkFixtures() {
  await createProjectGraphAsync({ exitOnError: false });
  const eslint = new ESLint({
    cwd: root,
    ruleFilter: ({ ruleId }) => rules.includes(ruleId),
    // The pretended path is in no tsconfig, and these two rules need no types.
    overrideConfig: {
      languageOptions: { parserOptions: { projectService: false } },
      linterOptions: { reportUnusedDisableDirectives: 'off' },
    },
  });
  const failures = [];
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    const place = /^\/\/ place: (\S+)$/m.exec(text)?.[1];
    const expected = /^\/\/ expect: (\S+)$/m.exec(text)?.[1];
    if (!place || !expected) {
      failures.push(`fixtures/${name}: expected the lines '// place: FILE' and '// expect: RULE'`);
      continue;
    }
    const [result] = await eslint.lintText(text, { filePath: join(root, place) });
    const reported = [...new Set(result.messages.map((message) => message.ruleId ?? message.message))];
    const wanted = expected === 'nothing' ? [] : [expected];
    if (reported.join() !== wanted.join()) failures.push(`fixtures/${name}: expected ${expected}, got ${reported.join(', ') || 'nothing'}`);
  }
  return failures;
}
