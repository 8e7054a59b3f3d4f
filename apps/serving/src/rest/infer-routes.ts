import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { RequestContext } from '../inference/request-context.ts';
import { runInference, type InferenceService } from '../inference/run-inference.ts';
import { callOf } from '../observe/call.ts';
import { addRoute, type ModelRequestOfRest } from './add-route.ts';
import { clientGone } from './client-gone.ts';
import { chooseCoding, decodeBody, encodeBody } from './content-coding.ts';
import { holdOf } from './hold-bodies.ts';
import type { LargeJson } from './json/large-json.ts';
import { modelPaths } from './model-routes.ts';

const noBytes = Buffer.alloc(0);

/**
 * Adds inference.
 *
 * @param app  The server.
 * @param service  Models and batches.
 * @param json  Reads bodies and writes answers.
 * @param bodyLimitBytes  Limit of a body after decompression.
 */
export function addInferRoutes(app: FastifyInstance, service: InferenceService, json: LargeJson, bodyLimitBytes: number): void {
  const paths = modelPaths.map((path) => `${path}/infer`);
  addRoute(app, 'POST', paths, async (request, reply) => {
    const { params, body: received = noBytes, headers } = request;
    const { model: modelName = '', version: modelVersion = '' } = params;
    const context = contextOf(request, reply.raw);
    const { description } = service.repository.describe(modelName, modelVersion);
    const coding = headers['content-encoding'];
    const hold = holdOf(request.raw);
    const body = coding === undefined ? received : await decodeBody(received, coding, bodyLimitBytes, (bytes) => hold?.grow(bytes));
    const headerLength = headers['inference-header-content-length']?.toString();
    const reading = json.read(body, headerLength, { modelName, modelVersion, input: description.inputs[0] });
    const { inference, binary } = await (hold?.during(reading) ?? reading);
    const answer = await json.write(await runInference(service, inference, context), binary);
    void reply.headers(answer.headers).header('vary', 'accept-encoding');
    const answerCoding = chooseCoding(headers['accept-encoding'], answer.body.length);
    if (!answerCoding) return answer.body;
    void reply.header('content-encoding', answerCoding);
    return encodeBody(answer.body, answerCoding);
  });
}

function contextOf({ id, raw }: ModelRequestOfRest, response: ServerResponse): RequestContext {
  const call = callOf(raw);
  const requestId = call?.requestId ?? id;
  return { requestId, protocol: 'rest', signal: clientGone(raw, response), deadline: Infinity, tokenName: call?.tokenName ?? null, call };
}
