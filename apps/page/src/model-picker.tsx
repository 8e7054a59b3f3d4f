import type { JSX } from 'preact';
import { hashOf, type View } from './route.ts';
import { keyOf, type ModelOverview } from './server/overview.ts';

/**
 * Chooses a version of a model. The choice is in the address, so that it can be kept and shared.
 *
 * @param props  Its parts.
 * @param props.view  The view that stays.
 * @param props.models  All versions.
 * @param props.chosen  The present one.
 * @returns  A labelled select; plain text where there is no choice.
 */
export function ModelPicker({
  view,
  models,
  chosen,
}: {
  view: View;
  models: readonly ModelOverview[];
  chosen: ModelOverview;
}): JSX.Element {
  if (models.length === 1) {
    return (
      <p class="picker">
        Model <strong>{chosen.name}</strong> version {chosen.version}
      </p>
    );
  }
  return (
    <p class="picker">
      <label for="model">Model</label>
      <select id="model" value={keyOf(chosen)} onChange={(event) => (location.hash = hashOf({ view, model: event.currentTarget.value }))}>
        {models.map((model) => (
          <option key={keyOf(model)} value={keyOf(model)}>
            {model.name} · version {model.version}
            {model.labels.length > 0 ? ` (${model.labels.join(', ')})` : ''}
          </option>
        ))}
      </select>
    </p>
  );
}
