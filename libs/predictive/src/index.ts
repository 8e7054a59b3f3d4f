export { LINKS, applyLink, type GaussianLogits, type Link, type LinkOptions } from './link.ts';
export { outputCovariance, outputVariance } from './output-covariance.ts';
export { jointCovariance } from './joint-covariance.ts';
export { probit } from './probit.ts';
export { SIGMOID_LINKS, sigmoidProbabilities, type SigmoidLogits, type SigmoidLink } from './sigmoid.ts';
export { softmax } from './softmax.ts';
