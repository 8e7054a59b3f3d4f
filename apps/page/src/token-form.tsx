import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/**
 * Asks for an API token.
 *
 * @param props  Its parts.
 * @param props.error  Why one is needed.
 * @param props.hasToken  Whether one was sent and refused.
 * @param props.onToken  Is told of the new one.
 * @returns  A form.
 */
export function TokenForm({
  error,
  hasToken,
  onToken,
}: {
  error: string;
  hasToken: boolean;
  onToken: (token: string) => void;
}): JSX.Element {
  const [value, setValue] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    onToken(value.trim());
  };
  return (
    <form class="panel token" onSubmit={submit}>
      <h1>A token, please</h1>
      <p role="alert">{hasToken ? `${error} The one you gave was refused.` : error}</p>
      <label for="token">API token</label>
      <div class="row">
        <input
          id="token"
          type="password"
          autocomplete="off"
          required
          value={value}
          aria-describedby="token-note"
          onInput={(event) => setValue(event.currentTarget.value)}
        />
        <button type="submit">Use it</button>
      </div>
      <p id="token-note" class="note">
        Kept in this tab only, and forgotten when it is closed.
      </p>
    </form>
  );
}
