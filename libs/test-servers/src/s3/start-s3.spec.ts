import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3, type S3Server } from './start-s3.ts';

describe('startS3', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3({ buckets: ['one-bucket', 'another-bucket'] });
  }, 300_000);
  afterAll(() => server.stop());

  it('answers, and only to whom it knows', async () => {
    for (const [path, init] of [
      ['/one-bucket', {}],
      ['/one-bucket/key', { method: 'PUT', body: 'x' }],
      [
        '/one-bucket/key',
        {
          headers: {
            authorization: 'AWS4-HMAC-SHA256 Credential=wrong/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0',
          },
        },
      ],
    ] as const) {
      const answer = await fetch(server.endpoint + path, init);
      expect([path, answer.status]).toEqual([path, 403]);
    }
  });

  it('takes a port, and says when it cannot have it', async () => {
    await expect(startS3({ port: server.port })).rejects.toThrow(/expected it to start, got its end: .*in use/);
    const { port } = server;
    await server.stop();
    server = await startS3({ port });
    expect(server.endpoint).toBe(`http://127.0.0.1:${port}`);
  });
});
