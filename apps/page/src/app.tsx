import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { LiveView } from './live/live-view.tsx';
import { ModelsView } from './models/models-view.tsx';
import { PlaygroundView } from './playground/playground-view.tsx';
import { hashOf, routeOf, views, type Route, type View } from './route.ts';
import { keyOf, type ModelOverview } from './server/overview.ts';
import { serverApi } from './server/server-api.ts';
import { inWords, ServerError } from './server/server-error.ts';
import { useOverview } from './server/use-overview.ts';
import { TokenForm } from './token-form.tsx';
import { keepToken, keptToken } from './token.ts';

const titles: Record<View, string> = { playground: 'Playground', models: 'Models', live: 'Live' };

/**
 * The whole page.
 *
 * @returns  Header, the view that the address names, footer.
 */
export function App(): JSX.Element {
  const [token, setToken] = useState(keptToken);
  const [isPaused, setPaused] = useState(false);
  const route = useRoute();
  const api = useMemo(() => serverApi(token), [token]);
  const { overview, history, error } = useOverview(api, isPaused);
  const models = overview?.models ?? [];
  const chosen = models.find((model) => keyOf(model) === route.model) ?? firstOf(models);
  const needsToken = error instanceof ServerError && (error.status === 401 || error.status === 403);
  const useToken = (value: string): void => {
    keepToken(value);
    setToken(value);
  };

  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="banner">
        <div class="brand">
          <Mark />
          <span>Sublace</span>
        </div>
        <nav aria-label="Views">
          {views.map((view) => (
            <a key={view} href={hashOf({ ...route, view })} aria-current={view === route.view ? 'page' : undefined}>
              {titles[view]}
            </a>
          ))}
        </nav>
        <ServerStatus isReady={overview?.server.isReady ?? null} isLost={error !== null && !needsToken} />
      </header>
      <main id="main" tabIndex={-1}>
        {needsToken && <TokenForm error={inWords(error)} hasToken={token !== ''} onToken={useToken} />}
        {error !== null && !needsToken && (
          <p class="notice bad" role="alert">
            {inWords(error)}
          </p>
        )}
        {overview === null && error === null && <p class="notice">Asking the server …</p>}
        {overview !== null && models.length === 0 && <p class="notice">The server has no model yet.</p>}
        {chosen && route.view === 'playground' && <PlaygroundView api={api} models={models} chosen={chosen} />}
        {chosen && route.view === 'models' && <ModelsView models={models} chosen={chosen} />}
        {overview && chosen && route.view === 'live' && (
          <LiveView overview={overview} history={history} chosen={chosen} isPaused={isPaused} onPause={setPaused} />
        )}
      </main>
      <footer>
        <span>{overview ? `${overview.server.name} ${overview.server.version}` : 'sublace'}</span>
        <span>Nothing on this page comes from, or goes to, anywhere but this server.</span>
        {token && (
          <button class="link" type="button" onClick={() => useToken('')}>
            Forget the token
          </button>
        )}
      </footer>
    </>
  );
}

function firstOf(models: readonly ModelOverview[]): ModelOverview | undefined {
  return (
    models.find((model) => model.description && model.labels.includes('stable')) ?? models.find((model) => model.description) ?? models[0]
  );
}

/** The route of the address; a change of view moves the focus to the new content and names the window. */
function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(routeOf(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const shown = useRef(route.view);
  useEffect(() => {
    document.title = `${titles[route.view]} · Sublace`;
    if (shown.current === route.view) return;
    shown.current = route.view;
    document.getElementById('main')?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [route.view]);
  return route;
}

/** The address keeps the view, so the link must not become one. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path class="curve" d="M4 25c6 0 7-17 12-17s6 17 12 17" />
      <path class="mean" d="M16 8v17" />
    </svg>
  );
}

function ServerStatus({ isReady, isLost }: { isReady: boolean | null; isLost: boolean }): JSX.Element {
  const [style, text] = isLost
    ? (['bad', '✕ No answer'] as const)
    : isReady === null
      ? (['', '… Connecting'] as const)
      : isReady
        ? (['good', '✓ Ready'] as const)
        : (['warn', '… Not ready'] as const);
  return (
    <p class={`chip ${style}`} role="status">
      <span class="hidden">Server: </span>
      {text}
    </p>
  );
}
