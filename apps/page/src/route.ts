/** The parts of the page. */
export const views = ['playground', 'models', 'live'] as const;

/** One of them. */
export type View = (typeof views)[number];

/** What the address says after `#`. */
export interface Route {
  readonly view: View;
  /** Key of the chosen version, `name/version`; empty for the first one. */
  readonly model: string;
}

/**
 * Reads an address.
 *
 * @param hash  `#view/name/version`, or anything.
 * @returns  The playground where it says nothing that is known.
 */
export function routeOf(hash: string): Route {
  const [first, name, version] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  const view = views.find((candidate) => candidate === first) ?? 'playground';
  return { view, model: name && version ? `${name}/${version}` : '' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}

/**
 * The address of a route.
 *
 * @param route  Where to.
 * @returns  With its `#`.
 */
export function hashOf({ view, model }: Route): string {
  return `#${[view, ...(model ? model.split('/').map(encodeURIComponent) : [])].join('/')}`;
}
