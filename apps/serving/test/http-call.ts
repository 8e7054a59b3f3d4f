import { request, type IncomingHttpHeaders } from 'node:http';

/** What came back, untouched. */
export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The body as JSON. */
  json: () => unknown;
}

/**
 * One HTTP call with exactly the given headers: no content type unless asked for, no automatic decompression.
 *
 * @param port  On this machine.
 * @param method  GET, POST, ...
 * @param path  With its slash.
 * @param options  Headers and body.
 * @returns  What came back.
 */
export function httpCall(
  port: number,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', method, path, headers: options.headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode!, headers: response.headers, body, json: () => JSON.parse(body.toString()) as unknown });
      });
    });
    call.on('error', reject);
    call.end(options.body);
  });
}
