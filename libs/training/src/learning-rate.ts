import type { TrainingOptions } from './training-options.ts';

type Schedule = Pick<TrainingOptions, 'learningRate' | 'schedule' | 'stepMilestones' | 'stepFactor' | 'warmUpEpochs' | 'epochs'>;

/**
 * Learning rate of one step.
 *
 *   warm-up    learningRate (step + 1) / warmUpSteps                 while step < warmUpSteps, then with t in [0, 1) over the steps left:
 *   constant   learningRate
 *   cosine     learningRate (1 + cos(pi t)) / 2                      (Loshchilov and Hutter 2017, arXiv:1608.03983, no restarts)
 *   step       learningRate stepFactor^(milestones passed)           milestones are fractions of all steps
 *
 * @param schedule  Schedule options.
 * @param step  Number of the step, from 0.
 * @param stepCount  Steps of the whole training.
 * @returns  The learning rate.
 */
export function learningRateAt(schedule: Schedule, step: number, stepCount: number): number {
  const warmUpSteps = Math.round((stepCount * schedule.warmUpEpochs) / schedule.epochs);
  if (step < warmUpSteps) return (schedule.learningRate * (step + 1)) / warmUpSteps;
  switch (schedule.schedule) {
    case 'constant':
      return schedule.learningRate;
    case 'cosine':
      return (schedule.learningRate * (1 + Math.cos((Math.PI * (step - warmUpSteps)) / (stepCount - warmUpSteps)))) / 2;
    case 'step': {
      const passed = schedule.stepMilestones.filter((milestone) => step >= milestone * stepCount).length;
      return schedule.learningRate * schedule.stepFactor ** passed;
    }
  }
}
