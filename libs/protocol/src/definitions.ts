import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { parseChunk, serialiseChunk } from './chunk-wire.ts';
import type { ProtoGrpcType as BlocksTypes } from './generated/blocks.ts';
import type { ProtoGrpcType as ReducerTypes } from './generated/reducer.ts';

/** Folder of the .proto files, found through the package and not through the working directory. */
export const PROTO_ROOT = fileURLToPath(new URL('.', import.meta.resolve('@sublace/proto/package.json')));

/** How messages look in TypeScript; the same as what the types in ./generated were made with (tools/setup/protocol-types.mjs). */
export const LOADER_OPTIONS = { longs: Number, enums: String, defaults: true, oneofs: true, includeDirs: [PROTO_ROOT] };

// What goes wrong is thrown; grpc's own lines would land among the JSON logs on stderr.
if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);

const definition = loadSync(['sublace/v1/blocks.proto', 'sublace/v1/reducer.proto'], LOADER_OPTIONS);
// Gigabytes pass by this one message; see chunk-wire.ts.
const blocks = definition['sublace.v1.Blocks'] as ServiceDefinition;
blocks['PullBlocks'] = { ...blocks['PullBlocks'], responseSerialize: serialiseChunk, responseDeserialize: parseChunk };
const root = loadPackageDefinition(definition) as unknown as BlocksTypes & ReducerTypes;

/** Client constructors and service definitions of package sublace.v1. */
export const services = root.sublace.v1;
