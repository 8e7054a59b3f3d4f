import type { JSX } from 'preact';
import { ModelPicker } from '../model-picker.tsx';
import { keyOf, type ModelOverview } from '../server/overview.ts';
import type { ServerApi } from '../server/server-api.ts';
import { CurvePlayground } from './curve-playground.tsx';
import { ImagePlayground } from './image-playground.tsx';
import { kindOf } from './kind.ts';
import { TablePlayground } from './table-playground.tsx';

/** What every playground needs. */
export interface PlaygroundProps {
  readonly api: ServerApi;
  readonly model: ModelOverview;
}

/**
 * Try a model: give it an input and see the answer and how sure it is.
 *
 * @param props  Its parts.
 * @param props.api  The server.
 * @param props.models  All versions.
 * @param props.chosen  The present one.
 * @returns  The playground that fits the model.
 */
export function PlaygroundView({
  api,
  models,
  chosen,
}: {
  api: ServerApi;
  models: readonly ModelOverview[];
  chosen: ModelOverview;
}): JSX.Element {
  return (
    <>
      <div class="view-head">
        <h1>Playground</h1>
        <ModelPicker view="playground" models={models} chosen={chosen} />
      </div>
      {chosen.description ? (
        <Fitting key={keyOf(chosen)} api={api} model={chosen} />
      ) : (
        <p class="notice">
          This version cannot be asked: it is {chosen.state}. {chosen.reason}
        </p>
      )}
    </>
  );
}

function Fitting({ api, model }: PlaygroundProps): JSX.Element {
  const kind = kindOf(model);
  if (kind.kind === 'image') return <ImagePlayground api={api} model={model} kind={kind} />;
  if (kind.kind === 'curve') return <CurvePlayground api={api} model={model} />;
  return <TablePlayground api={api} model={model} size={kind.size} />;
}
