import type { ServerReflectionRequest, ServerReflectionResponseInit } from '@sublace/protocol/inference';
import { credentials, makeGenericClientConstructor, status, type ServiceDefinition } from '@grpc/grpc-js';
import { reflectionService } from '@sublace/protocol/inference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearGaussianModel, named } from '../../test/linear-gaussian-model.ts';
import { startServer, type RunningServer } from '../server.ts';
import { findSymbols } from './file-descriptor.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer({ models: [named(linearGaussianModel())], httpPort: 0, grpcPort: 0 })));
afterAll(() => server.stop());

/** Sends requests on one stream and gathers the answers. */
function reflect(version: string, requests: Partial<ServerReflectionRequest>[]): Promise<ServerReflectionResponseInit[]> {
  const { ServerReflectionInfo: method } = reflectionService;
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const Client = makeGenericClientConstructor({ ServerReflectionInfo: { ...method, path } } as unknown as ServiceDefinition, 'Reflection');
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    const answers: ServerReflectionResponseInit[] = [];
    const call = client.makeBidiStreamRequest(path, method.requestSerialize, method.responseDeserialize);
    call.on('data', (answer: ServerReflectionResponseInit) => answers.push(answer));
    call.on('error', reject);
    call.on('end', () => resolve(answers));
    for (const request of requests) call.write(request);
    call.end();
  }).finally(() => client.close()) as Promise<ServerReflectionResponseInit[]>;
}

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  it('lists services and gives the file of each symbol, which declares it', async () => {
    const symbols = [
      'inference.GRPCInferenceService',
      'inference.GRPCInferenceService.ModelInfer',
      'inference.ModelInferRequest.InferInputTensor',
      'inference.DataType',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
    ];
    const [list, ...files] = await reflect(version, [
      { listServices: '' },
      ...symbols.map((fileContainingSymbol) => ({ fileContainingSymbol })),
    ]);
    expect(list.listServicesResponse?.service?.map(({ name }) => name)).toEqual([
      'inference.GRPCInferenceService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
    ]);
    files.forEach((answer, i) => {
      const [file] = answer.fileDescriptorResponse?.fileDescriptorProto ?? [];
      expect(findSymbols(file as Buffer).symbols).toContain(symbols[i]);
    });
  });

  it('has fields by the names of the .proto file, and maps as tools expect them', async () => {
    const [{ fileDescriptorResponse }] = await reflect(version, [{ fileContainingSymbol: 'inference.ModelInferRequest' }]);
    const file = fileDescriptorResponse?.fileDescriptorProto?.[0] as Buffer;
    expect(file.includes('raw_input_contents')).toBe(true);
    expect(findSymbols(file).symbols).toContain('inference.ModelInferRequest.InferInputTensor.ParametersEntry');
  });

  it('says what it does not know', async () => {
    const answers = await reflect(version, [
      { fileContainingSymbol: 'inference.None' },
      { fileByFilename: '../../etc/passwd' },
      { allExtensionNumbersOfType: 'inference.ModelInferRequest' },
    ]);
    expect(answers.map((answer) => answer.errorResponse?.errorCode)).toEqual([status.NOT_FOUND, status.NOT_FOUND, status.NOT_FOUND]);
  });

  it('ends a stream that asks for ever', async () => {
    await expect(reflect(version, Array(1001).fill({ listServices: '' }) as Partial<ServerReflectionRequest>[])).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
  });
});
