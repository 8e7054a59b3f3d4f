import type { ClientOptions } from './http/http-caller.ts';
import { InferenceClient } from './protocol/inference-client.ts';
import { ExampleAsker, type TaskOptions } from './tasks/ask.ts';
import {
  classify,
  type Classification,
  type ClassificationValues,
  type ClassifyOptions,
  type DefaultClassificationValue,
} from './tasks/classify.ts';
import type { Examples } from './tasks/examples.ts';
import {
  functionSamples,
  jointCovariance,
  type FunctionSamples,
  type FunctionSamplesOptions,
  type JointCovariance,
} from './tasks/joint.ts';
import { regress, type Regression, type RegressOptions } from './tasks/regress.ts';

/**
 * Client of Sublace's serving app: the Open Inference Protocol v2, and on top of it questions whose answers are predictions with their uncertainty.
 *
 *   const client = new SublaceClient('http://localhost:8080');
 *   const { examples } = await client.classify('mnist', image);
 *   examples[0].probabilities, examples[0].mutualInformation
 */
export class SublaceClient extends InferenceClient {
  readonly #asker = new ExampleAsker(this);

  /**
   * @param baseUrl  `http://host:port`, without `/v2`. Empty in a browser: the server that the page came from.
   * @param options  Token, deadline, retries.
   * @throws SublaceClientError INVALID_ARGUMENT for options that make no sense.
   */
  constructor(baseUrl: string, options: ClientOptions = {}) {
    super(baseUrl, options);
  }

  /**
   * Asks a classification (or a model of yes-or-no answers) about examples.
   *
   * @param model  Its name.
   * @param examples  N of them, raw units.
   * @param options  What to ask, link, temperature, draws.
   * @returns  For each example its probabilities and what is uncertain about them.
   * @throws SublaceClientError.
   */
  async classify<V extends keyof ClassificationValues = DefaultClassificationValue>(
    model: string,
    examples: Examples,
    options: ClassifyOptions<V> = {},
  ): Promise<Classification<V>> {
    return classify(this.#asker, model, examples, options);
  }

  /**
   * Asks a regression about examples.
   *
   * @param model  Its name.
   * @param examples  N of them, raw units.
   * @param options  Coverage of the interval.
   * @returns  For each example mean, variances, standard deviation and interval.
   * @throws SublaceClientError.
   */
  async regress(model: string, examples: Examples, options: RegressOptions = {}): Promise<Regression> {
    return regress(this.#asker, model, examples, options);
  }

  /**
   * Asks how the outputs at examples move together.
   *
   * @param model  Its name.
   * @param examples  N of them, raw units; N C at most 4,096.
   * @param options  Version, deadline.
   * @returns  One covariance matrix.
   * @throws SublaceClientError.
   */
  async jointCovariance(model: string, examples: Examples, options: TaskOptions = {}): Promise<JointCovariance> {
    return jointCovariance(this.#asker, model, examples, options);
  }

  /**
   * Draws functions from the posterior.
   *
   * @param model  Its name.
   * @param examples  N of them, raw units.
   * @param options  How many functions, seed.
   * @returns  Their outputs at the examples.
   * @throws SublaceClientError.
   */
  async functionSamples(model: string, examples: Examples, options: FunctionSamplesOptions = {}): Promise<FunctionSamples> {
    return functionSamples(this.#asker, model, examples, options);
  }
}
