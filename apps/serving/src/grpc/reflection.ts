import { status as GrpcStatus, type ServiceDefinition, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { reflectionService, type ServerReflectionRequest, type ServerReflectionResponseInit } from '@sublace/protocol/inference';
import { findSymbols, withMapEntryNames } from './file-descriptor.ts';

/** A service that reflection tells of, and its handlers. */
export interface ReflectedService {
  definition: ServiceDefinition;
  handlers: UntypedServiceImplementation;
}

/** Requests on one stream that are answered; a client that asks for more opens another. */
const requestsMax = 1000;

/**
 * Server reflection, so that tools such as grpcurl need no .proto files: v1 and v1alpha, which differ in their package only.
 *
 * @param definitions  Services of the server.
 * @param descriptors  Serialised FileDescriptorProto of every file that declares something of them.
 * @returns  Both services, for a server's `addService`.
 */
export function reflectionServices(definitions: readonly ServiceDefinition[], descriptors: readonly Buffer[]): ReflectedService[] {
  const answer = answerer([...definitions, reflectionService], descriptors);
  const handlers: UntypedServiceImplementation = {
    ServerReflectionInfo: (call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponseInit>) => {
      let count = 0;
      call.on('data', (request: ServerReflectionRequest) => {
        count += 1;
        if (count <= requestsMax) call.write({ validHost: request.host, originalRequest: request, ...answer(request) });
        else call.emit('error', { code: GrpcStatus.RESOURCE_EXHAUSTED, details: `expected at most ${requestsMax} requests on a stream` });
      });
      call.on('end', () => call.end());
      call.on('error', () => undefined); // the caller has gone
    },
  };
  const alpha = Object.fromEntries(
    Object.entries(reflectionService).map(([name, method]) => [name, { ...method, path: method.path.replace('.v1.', '.v1alpha.') }]),
  );
  return [reflectionService as ServiceDefinition, alpha as unknown as ServiceDefinition].map((definition) => ({ definition, handlers }));
}

function answerer(
  definitions: readonly ServiceDefinition[],
  descriptors: readonly Buffer[],
): (request: ServerReflectionRequest) => ServerReflectionResponseInit {
  const services = [...new Set(definitions.flatMap((definition) => Object.values(definition).map(({ path }) => path.split('/')[1])))];
  const files = new Map<string, Buffer>();
  const fileOfSymbol = new Map<string, string>();
  for (const file of descriptors.map(withMapEntryNames)) {
    const { name, symbols } = findSymbols(file);
    files.set(name, file);
    for (const symbol of symbols) fileOfSymbol.set(symbol, name);
  }
  const fileNamed = (name: string | undefined, asked: string): ServerReflectionResponseInit => {
    const file = name === undefined ? undefined : files.get(name);
    return file
      ? { fileDescriptorResponse: { fileDescriptorProto: [file] } }
      : notFound(`expected a file or symbol of this server, got '${asked}'`);
  };
  return ({ messageRequest, fileByFilename = '', fileContainingSymbol = '' }) => {
    if (messageRequest === 'listServices') return { listServicesResponse: { service: services.map((name) => ({ name })) } };
    if (messageRequest === 'fileByFilename') return fileNamed(fileByFilename, fileByFilename);
    if (messageRequest === 'fileContainingSymbol') return fileNamed(fileOfSymbol.get(fileContainingSymbol), fileContainingSymbol);
    return notFound('expected a request for services, files or symbols: there are no extensions here');
  };
}

function notFound(errorMessage: string): ServerReflectionResponseInit {
  return { errorResponse: { errorCode: GrpcStatus.NOT_FOUND, errorMessage: errorMessage.slice(0, 200) } };
}
