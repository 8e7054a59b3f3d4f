import type { ModelDescription, ModelRequest, OutputTensor } from '../models/model.ts';

/**
 * A large request as several that each fill a batch, so that others have their turns between them. One whose outputs belong to all of its examples together,
 * such as a joint covariance, stays whole: its metadata have a second open dimension.
 *
 * @param request  Checked.
 * @param description  Of the model.
 * @param examplesMax  Most examples of a part, 1 or more.
 * @returns  The parts in order; the request itself where it is small enough or stays whole.
 */
export function partsOf(request: ModelRequest, { outputs }: Pick<ModelDescription, 'outputs'>, examplesMax: number): ModelRequest[] {
  const { input, count } = request;
  const isJoint = outputs.some(({ name, shape }) => request.outputs.includes(name) && shape.slice(1).includes(-1));
  if (count <= examplesMax || isJoint) return [request];
  const size = input.length / count;
  return Array.from({ length: Math.ceil(count / examplesMax) }, (_, i) => {
    const firstExample = i * examplesMax;
    const length = Math.min(examplesMax, count - firstExample);
    // A copy: memory moves to the compute thread whole.
    const own = input.slice(firstExample * size, (firstExample + length) * size);
    return { ...request, input: own, count: length, firstExample };
  });
}

/**
 * The answer of a request from those of its parts.
 *
 * @param answers  Outputs of each part, in order; one part or more.
 * @returns  Outputs of the whole.
 */
export function joinParts(answers: readonly (readonly OutputTensor[])[]): OutputTensor[] {
  return answers[0].map((first, i) => {
    if (answers.length === 1) return first;
    const parts = answers.map((outputs) => outputs[i]);
    const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
    let offset = 0;
    for (const part of parts) {
      data.set(part.data, offset);
      offset += part.data.length;
    }
    return { ...first, shape: [parts.reduce((sum, { shape }) => sum + shape[0], 0), ...first.shape.slice(1)], data };
  });
}
