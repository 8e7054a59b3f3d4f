export { LINKS, SAMPLES_DEFAULT, applyLink, type GaussianLogits, type Link, type LinkOptions } from './link.ts';
export { covarianceOfRoots, outputCovariance, outputVariance, varianceOfRoots } from './output-covariance.ts';
export { jointCovariance, jointCovarianceOfRoots } from './joint-covariance.ts';
export { mutualInformation, sigmoidMutualInformation } from './mutual-information.ts';
export { probit } from './probit.ts';
export { SIGMOID_LINKS, sigmoidProbabilities, type SigmoidLogits, type SigmoidLink } from './sigmoid.ts';
export { softmax } from './softmax.ts';
