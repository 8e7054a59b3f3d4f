import type { ErrorCode } from '@sublace/errors';
import type { InferResponse } from '../../inference/infer-request.ts';
import type { RestAnswer } from '../infer-answer.ts';
import type { BinaryOutputs, BodyTarget, RestInferRequest } from '../infer-body.ts';

/** From the main thread; each is answered by one message with its id. */
export type JsonCall =
  | { id: number; type: 'read'; body: Uint8Array; headerLength: string | undefined; target: BodyTarget }
  | { id: number; type: 'write'; response: InferResponse; binary: BinaryOutputs };

/** From the thread. */
export type JsonReply =
  | { id: number; type: 'read'; request: RestInferRequest }
  | { id: number; type: 'written'; answer: RestAnswer }
  | { id: number; type: 'failed'; error: { code: ErrorCode; message: string } };
