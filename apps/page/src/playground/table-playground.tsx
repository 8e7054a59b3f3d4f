import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatDuration, formatNumber } from '../format/numbers.ts';
import type { FloatTensor } from '../server/server-api.ts';
import { LatestRequest } from '../server/latest-request.ts';
import { cardOf } from '../server/overview.ts';
import { inWords } from '../server/server-error.ts';
import { offered } from './kind.ts';
import type { PlaygroundProps } from './playground-view.tsx';
import { readNumbers } from './read-numbers.ts';

const wantedOutputs = [
  'probabilities',
  'map_probabilities',
  'entropy',
  'mutual_information',
  'mean',
  'std',
  'variance',
  'noise_variance',
  'logit_variance',
];

/** More columns than this are nothing to look at. */
const columnsMax = 12;

/**
 * Any other model: numbers in, a table out.
 *
 * @param props  Its parts.
 * @returns  The playground of everything that is no image and no curve.
 */
export function TablePlayground({ api, model, size }: PlaygroundProps & { size: number }): JSX.Element {
  const means = cardOf(model)?.data.inputMean ?? [];
  const average = Array.from({ length: Math.min(size, 4096) }, (_, i) => means[i % Math.max(1, means.length)] ?? 0);
  const [text, setText] = useState(() => average.map((value) => String(Number(value.toPrecision(4)))).join(', '));
  const [error, setError] = useState<string | null>(null);
  const [answer, setAnswer] = useState<{ outputs: ReadonlyMap<string, FloatTensor>; count: number; seconds: number } | null>(null);
  const requests = useRef<LatestRequest | null>(null);
  requests.current ??= new LatestRequest();
  useEffect(() => () => requests.current?.cancel(), []);

  const ask = (event: Event): void => {
    event.preventDefault();
    try {
      const { values, count } = readNumbers(text, size);
      const [{ name, shape }] = model.description!.inputs;
      const input = { name, shape: [count, ...shape.slice(1)], data: values };
      const start = performance.now();
      setError(null);
      requests.current!.submit(
        (signal) => api.infer({ model: model.name, version: model.version, input, outputs: offered(model, wantedOutputs) }, signal),
        (outputs) => setAnswer({ outputs, count, seconds: (performance.now() - start) / 1000 }),
        (failure) => setError(inWords(failure)),
      );
    } catch (failure) {
      setError((failure as Error).message);
    }
  };

  return (
    <div class="table-playground">
      <form class="panel" onSubmit={ask}>
        <h2>Input</h2>
        <label for="numbers">{size === 1 ? 'One number' : `${size} numbers`} for each example, in the units of the training data</label>
        <textarea
          id="numbers"
          rows={5}
          value={text}
          spellcheck={false}
          aria-describedby="numbers-note"
          aria-invalid={error !== null}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <p id="numbers-note" class="note">
          Between commas, spaces or new lines; several examples one after the other.{' '}
          {means.length > 0 && 'It starts with the mean of the training inputs.'}
        </p>
        <button type="submit" class="primary">
          Ask
        </button>
        {error && (
          <p class="notice bad" role="alert">
            {error}
          </p>
        )}
      </form>
      <section class="panel" aria-labelledby="answer-title" aria-live="polite">
        <div class="panel-head">
          <h2 id="answer-title">Answer</h2>
          {answer && <span class="note">in {formatDuration(answer.seconds)}</span>}
        </div>
        {answer ? <AnswerTable outputs={answer.outputs} count={answer.count} /> : <p class="note">Nothing asked yet.</p>}
      </section>
    </div>
  );
}

function AnswerTable({ outputs, count }: { outputs: ReadonlyMap<string, FloatTensor>; count: number }): JSX.Element {
  const columns = [...outputs.values()].flatMap(({ name, data }) => {
    const width = data.length / count;
    const shown = Math.min(width, columnsMax);
    return Array.from({ length: shown }, (_, c) => ({
      name: `${name.replaceAll('_', ' ')}${width > 1 ? ` [${c}]` : ''}`,
      value: (n: number) => data[n * width + c],
    }));
  });
  if (count === 1) {
    return (
      <div class="scrolling" tabIndex={0} role="region" aria-label="Answer">
        <table>
          <thead>
            <tr>
              <th scope="col">Output</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {columns.map(({ name, value }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{formatNumber(value(0), 4)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  }
  return (
    <div class="scrolling" tabIndex={0} role="region" aria-label="Answers">
      <table>
        <thead>
          <tr>
            <th scope="col">Example</th>
            {columns.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: count }, (_, n) => (
            <tr key={n}>
              <th scope="row">{n + 1}</th>
              {columns.map(({ name, value }) => (
                <td key={name}>{formatNumber(value(n), 4)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
