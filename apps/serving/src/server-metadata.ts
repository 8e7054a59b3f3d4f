import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** Extensions of the protocol that are here, by the names that clients look for. */
const extensions = ['binary_tensor_data', 'model_configuration', 'model_repository', 'parameters', 'statistics'];

/** What the server says about itself, by both protocols. */
export const serverMetadata = { name: 'sublace', version, extensions };
