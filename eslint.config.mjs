import nx from '@nx/eslint-plugin';
import jsdoc from 'eslint-plugin-jsdoc';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { boundaries, computeThreads, ioModules, withoutIo } from './tools/lint/boundaries.mjs';

const specs = ['**/*.spec.ts', '**/testdata/**/*.ts'];
const nodeGlobals = [
  'AbortController',
  'AbortSignal',
  'Buffer',
  'URL',
  'clearInterval',
  'clearTimeout',
  'console',
  'fetch',
  'performance',
  'process',
  'setInterval',
  'setTimeout',
];

export default defineConfig(
  globalIgnores(['**/dist', '**/out-tsc', '**/out', '**/generated', '**/coverage', '.nx', 'tools/lint/fixtures']),
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },

  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked, jsdoc.configs['flat/contents-typescript-error']],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // An index may be out of range and the types do not say so (noUncheckedIndexedAccess is off), so a check of one is not unnecessary.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // stylistic asks for `x!` where strict forbids it.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // tf.js returns unions: an assertion or a type argument is a matter of taste, and so is `!` for one.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // Numeric loops use the index in formulas; one style for all of them.
      '@typescript-eslint/prefer-for-of': 'off',
      // `field<Int32Array>('indices')` reads better than an assertion on what it returns.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // An asynchronous interface may have an implementation that has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      'jsdoc/informative-docs': 'off',
      'jsdoc/text-escaping': 'off',
      'jsdoc/match-description': 'off',
      'jsdoc/no-bad-blocks': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.{ts,tsx}'],
    ignores: [...specs, '**/{vite,vitest}.config.ts'],
    plugins: { jsdoc },
    settings: { jsdoc: { mode: 'typescript' } },
    rules: {
      'jsdoc/require-jsdoc': [
        'error',
        { publicOnly: true, checkConstructors: false, require: { FunctionDeclaration: true, ClassDeclaration: true } },
      ],
      'jsdoc/require-description': ['error', { contexts: ['FunctionDeclaration', 'ClassDeclaration'] }],
      'jsdoc/require-param': [
        'error',
        { checkDestructured: false, checkDestructuredRoots: false, contexts: ['ExportNamedDeclaration > FunctionDeclaration'] },
      ],
      'jsdoc/require-param-description': 'error',
      'jsdoc/require-returns': ['error', { contexts: ['ExportNamedDeclaration > FunctionDeclaration'] }],
      'jsdoc/require-returns-description': 'error',
      'jsdoc/check-param-names': ['error', { checkDestructured: false }],
      'jsdoc/check-tag-names': ['error', { definedTags: ['shape'] }],
      'jsdoc/no-types': 'error',
    },
  },

  // Command lines and tools talk to a terminal.
  { files: ['apps/cli/**/*.ts', 'tools/**/*.ts'], rules: { 'no-console': 'off' } },

  {
    files: specs,
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },

  {
    files: ['**/*.{ts,tsx}'],
    ignores: ['**/{vite,vitest}.config.ts'],
    plugins: { '@nx': nx },
    rules: { '@nx/enforce-module-boundaries': ['error', boundaries({ isSpec: false })] },
  },
  // The end-to-end tests are specs as a whole, with what they share among them. Benchmarks are not shipped either, and start the same servers.
  {
    files: [...specs, 'apps/e2e/src/**/*.ts', 'tools/bench/**/*.ts'],
    plugins: { '@nx': nx },
    rules: { '@nx/enforce-module-boundaries': ['error', boundaries({ isSpec: true })] },
  },
  {
    files: computeThreads,
    plugins: { '@nx': nx },
    rules: { '@nx/enforce-module-boundaries': ['error', boundaries({ isSpec: false, isThread: true })] },
  },
  {
    files: ['apps/reducer/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/factorise-thread.ts'],
              message: 'it loads the tensor runtime: start it as a thread (docs/adr/0018-spread-factorisation.md)',
            },
          ],
        },
      ],
    },
  },
  {
    files: withoutIo.map((name) => `libs/${name}/src/**/*.ts`),
    ignores: specs,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ioModules
            .flatMap((name) => [name, `node:${name}`])
            .map((name) => ({ name, message: 'layer:plain and layer:numerics do no input or output: docs/adr/0003-layers.md' })),
        },
      ],
    },
  },

  {
    files: ['**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.base],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error', eqeqeq: 'error' },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', module: 'writable' } } },
);
