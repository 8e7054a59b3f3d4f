import type { PosteriorManifest } from '@sublace/pipeline';
import { formatTable } from './terminal/table.ts';

/** Characters of the longest bar. */
const BAR_LENGTH = 40;

/** A scale and the geometric mean of priors of that scale are the same up to this. */
const ROUNDING = 1e-9;

/**
 * Losses above the smallest one, as bars, along the scale of a prior that was tuned; and the climb of the evidence over tensors or weights.
 *
 * @param manifest  Of the posterior.
 * @returns  Lines of text; nothing for a prior that was given.
 */
export function describeTuning({ prior, priorPrecision }: PosteriorManifest): string {
  const parts: string[] = [];
  if (prior.curve) {
    const losses = prior.curve.map(({ loss }) => loss).filter(Number.isFinite);
    const smallest = Math.min(...losses);
    // The largest losses lie decades away from the choice: three quarters of them leave bars that can be told apart.
    const scale = losses.sort((a, b) => a - b)[Math.floor((3 * (losses.length - 1)) / 4)] - smallest;
    const rows = prior.curve.map((point) => [
      `${point.priorPrecision.toPrecision(3)}${Math.abs(point.priorPrecision / priorPrecision - 1) < ROUNDING ? ' *' : '  '}`,
      point.loss.toFixed(4),
      bar((point.loss - smallest) / scale),
    ]);
    const loss = prior.method === 'evidence' ? '-log evidence' : 'held-out NLL';
    parts.push(formatTable(['prior precision  ', loss, 'above the smallest'], rows));
  }
  if (prior.ascent) {
    const rounds = prior.ascent.length - 1;
    const [first, last] = [prior.ascent[0], prior.ascent[rounds]].map((value) => value.toFixed(2));
    const [what, climbed] = prior.structure === 'layer' ? ['weight tensor', 'log evidence'] : ['weight', 'log evidence with shrinkage'];
    parts.push(`one prior precision per ${what}: ${rounds} rounds, ${climbed} from ${first} to ${last}`);
  }
  return parts.join('\n\n');
}

function bar(share: number): string {
  if (!(share < 1)) return `${'#'.repeat(BAR_LENGTH)}>`;
  return '#'.repeat(Math.round(share * BAR_LENGTH));
}
