import { resolve } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { evaluate, familyOf, openPosterior, type Evaluation } from '@sublace/pipeline';
import { Command } from 'commander';
import { absolutePlace } from '../absolute-paths.ts';
import { formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander gives them. */
interface EvaluateOptions {
  readonly posterior: string;
  readonly data: string;
  readonly ood?: string;
  readonly model?: string;
}

/**
 * `sublace evaluate`: scores of the MAP, the MAP with temperature scaling, and Sublace, side by side.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function evaluateCommand(terminal: () => Terminal): Command {
  return new Command('evaluate')
    .description('score a posterior on data, beside the MAP and the MAP with temperature scaling')
    .requiredOption('--posterior <place>', 'folder of the posterior, or s3://BUCKET/PATH')
    .requiredOption('--data <spec>', 'data SPEC, with keys as in mnist?rotate=90; its test part unless ?split= says otherwise')
    .option('--ood <spec>', 'out-of-distribution data, for the AUROC of the predictive entropy')
    .option('--model <path>', "use this model instead of the posterior's copy; it must be the same one")
    .action(async (options: EvaluateOptions) => {
      await startBackend();
      const fitted = await openPosterior(
        absolutePlace(options.posterior),
        options.model === undefined ? {} : { model: resolve(options.model) },
      );
      const family = familyOf(fitted.manifest.likelihood);
      if (options.ood !== undefined && !family.entropies) {
        fitted.dispose();
        throw new SublaceError(
          'INVALID_ARGUMENT',
          `--ood: expected a posterior over classes or binary answers, got one for ${family.kind}; leave --ood out`,
        );
      }
      const data = await loadDataset(options.data, { split: 'test', likelihood: family.targetUse });
      const ood = options.ood === undefined ? undefined : await loadDataset(options.ood, { split: 'test' });
      const evaluation = evaluate(fitted, data, ood);
      fitted.dispose();
      terminal().result({ data: options.data, ood: options.ood ?? null, ...evaluation }, () => {
        return `${options.data}: ${evaluation.count} examples\n\n${scoreTable(evaluation)}`;
      });
    });
}

/**
 * The scores as a table.
 *
 * @param evaluation  Scores of every predictor.
 * @returns  Lines of text.
 */
export function scoreTable(evaluation: Evaluation): string {
  const four = (value: number): string => value.toFixed(4);
  if (evaluation.likelihood === 'regression' || evaluation.likelihood === 'heteroscedastic') {
    const rows = evaluation.scores.map(({ predictor, nll, rmse }) => [predictor, four(nll), four(rmse)]);
    return formatTable(['predictor', 'NLL', 'RMSE'], rows);
  }
  const hasAuroc = evaluation.scores.some((score) => score.auroc !== undefined);
  const rows = evaluation.scores.map((score) => [
    score.predictor,
    four(score.nll),
    `${(100 * score.accuracy).toFixed(2)} %`,
    four(score.ece),
    four(score.brier),
    ...(score.auroc === undefined ? [] : [four(score.auroc)]),
  ]);
  return formatTable(['predictor', 'NLL', 'accuracy', 'ECE', 'Brier', ...(hasAuroc ? ['AUROC'] : [])], rows);
}
