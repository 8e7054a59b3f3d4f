import { ParameterLayout, type ParameterEntry } from '@sublace/network';
import { describe, expect, it } from 'vitest';
import { candidateEntries, parseCandidates } from './candidates.ts';
import { gatherScores, parseSelectionRule, scatterScores, scoredWeights } from './index.ts';

const weight = (layer: string, className: string, name: string, kind: ParameterEntry['kind']): Omit<ParameterEntry, 'offset' | 'size'> => ({
  layer,
  className,
  weight: name,
  kind,
  shape: [2],
});
const layout = new ParameterLayout([
  weight('words', 'Embedding', 'embeddings', 'kernel'),
  weight('conv', 'DepthwiseConv2D', 'depthwise_kernel', 'kernel'),
  weight('conv', 'DepthwiseConv2D', 'bias', 'bias'),
  weight('norm', 'BatchNormalization', 'gamma', 'normalisation'),
  weight('attend', 'MultiHeadAttention', 'query/kernel', 'kernel'),
  weight('head', 'Dense', 'kernel', 'kernel'),
  weight('head', 'Dense', 'bias', 'bias'),
]);

function chosen(kinds: string, rule = 'random:1'): string[] {
  return candidateEntries(parseSelectionRule(rule), layout, parseCandidates(kinds)).map((entry) => `${entry.layer}/${entry.weight}`);
}

describe('candidates', () => {
  it.each([
    ['kernels', ['words/embeddings', 'conv/depthwise_kernel', 'attend/query/kernel', 'head/kernel']],
    ['dense', ['head/kernel']],
    ['convolution', ['conv/depthwise_kernel']],
    ['attention', ['attend/query/kernel']],
    ['embedding', ['words/embeddings']],
    ['normalisation', ['norm/gamma']],
    ['bias', ['conv/bias', 'head/bias']],
    ['dense, bias', ['conv/bias', 'head/kernel', 'head/bias']],
  ])('%s', (kinds, expected) => {
    expect(chosen(kinds)).toEqual(expected);
  });

  it('all is every weight, once, however often it is named', () => {
    expect(chosen('all')).toHaveLength(7);
    expect(chosen('all,bias,kernels')).toEqual(chosen('all'));
  });

  it('are for scored rules: a rule that names its weights means them', () => {
    expect(chosen('dense', 'names:conv')).toEqual(['conv/depthwise_kernel', 'conv/bias']);
    expect(chosen('dense', 'last-layer')).toEqual(['head/kernel', 'head/bias']);
  });

  it('are refused in one line when there is no such word, or no such weight in the model', () => {
    expect(() => parseCandidates('kernels,weights')).toThrow(
      "candidates: expected kernels, all, dense, convolution, attention, embedding, normalisation, bias or a comma list of them, got 'weights'",
    );
    expect(() => parseCandidates('')).toThrow("got ''");
    const dense = new ParameterLayout([weight('head', 'Dense', 'kernel', 'kernel')]);
    expect(() => candidateEntries(parseSelectionRule('random:1'), dense, ['attention', 'bias'])).toThrow(
      'candidates attention,bias: expected weights of that kind, got a model without; it has kernels, all, dense',
    );
  });
});

describe('scored weights', () => {
  const scored = (rule: string, kinds: string, listed?: Int32Array): string[] =>
    scoredWeights(parseSelectionRule(rule), layout, parseCandidates(kinds), listed).entries.map(
      ({ layer, weight: name }) => `${layer}/${name}`,
    );

  it('are those of every layer with a candidate, and of no other', () => {
    expect(scored('last-layer', 'kernels')).toEqual(['head/kernel', 'head/bias']);
    expect(scored('names:*/bias', 'kernels')).toEqual(['conv/depthwise_kernel', 'conv/bias', 'head/kernel', 'head/bias']);
    expect(scored('indices:file', 'kernels', Int32Array.of(7, 1))).toEqual(['words/embeddings', 'norm/gamma']);
    expect(scored('random:2', 'convolution')).toEqual(['conv/depthwise_kernel', 'conv/bias']);
    expect(scored('random:2', 'all')).toHaveLength(7);
  });

  it('have scores that come back to their places', () => {
    const weights = scoredWeights(parseSelectionRule('names:*/bias'), layout, ['kernels']);
    const all = Float32Array.from({ length: 14 }, (_, i) => i + 1);
    const scores = gatherScores(weights, all);
    expect([...scores]).toEqual([3, 4, 5, 6, 11, 12, 13, 14]);
    expect([...scatterScores(weights, Float64Array.from(scores), 14)]).toEqual([0, 0, 3, 4, 5, 6, 0, 0, 0, 0, 11, 12, 13, 14]);
  });
});
