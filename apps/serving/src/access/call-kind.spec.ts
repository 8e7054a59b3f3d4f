import { describe, expect, it } from 'vitest';
import { grpcCallKind, restCallKind } from './call-kind.ts';

describe('the kind of a call', () => {
  it.each([
    ['GET', '/v2/health/ready', 'health'],
    ['GET', '/v2/models/:model/ready', 'health'],
    ['GET', '/v2/models/:model/versions/:version/ready', 'health'],
    ['GET', '/v2', 'metadata'],
    ['GET', '/v2/models/:model', 'metadata'],
    ['GET', '/v2/models/:model/stats', 'metadata'],
    ['GET', '/metrics', 'metadata'],
    ['POST', '/v2/models/:model/infer', 'inference'],
    ['POST', '/v2/models/:model/versions/:version/infer', 'inference'],
    ['POST', '/v2/repository/index', 'admin'],
    ['POST', '/v2/repository/models/:model/load', 'admin'],
    ['GET', '/', 'page'],
    ['GET', '/*', 'page'],
    ['GET', undefined, 'page'],
    ['GET', '/something/new', 'admin'],
    ['POST', '/v2/something/new', 'admin'],
    ['DELETE', '/v2/health/ready', 'admin'],
  ])('of REST %s %s is %s', (method, route, kind) => {
    expect(restCallKind(method, route)).toBe(kind);
  });

  it.each([
    ['/grpc.health.v1.Health/Check', 'health'],
    ['/inference.GRPCInferenceService/ServerLive', 'health'],
    ['/inference.GRPCInferenceService/ModelMetadata', 'metadata'],
    ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', 'metadata'],
    ['/inference.GRPCInferenceService/ModelInfer', 'inference'],
    ['/inference.GRPCInferenceService/RepositoryModelLoad', 'admin'],
    ['/inference.GRPCInferenceService/toString', 'admin'],
    ['/another.Service/ModelInfer', 'admin'],
  ])('of gRPC %s is %s', (path, kind) => {
    expect(grpcCallKind(path)).toBe(kind);
  });
});
