import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** What the server says about itself, by both protocols. */
export const serverMetadata = { name: 'sublace', version, extensions: ['binary_tensor_data'] };
