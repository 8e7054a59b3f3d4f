/** A network of its own for a process, with a cable that can be pulled: what the kernel has for containers. Needs root and iproute2. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** A namespace that is joined to this one by a cable. */
export interface NetworkNamespace {
  /** Address inside, as seen from outside. */
  inside: string;
  /** Address outside, as seen from inside. */
  outside: string;
  /** Words before a command that run it inside. */
  prefix: readonly string[];
  /** Takes the cable out: packets are lost, nobody is told. */
  pull: () => void;
  /** Puts the cable back. */
  plug: () => void;
  remove: () => void;
}

let reason: string | undefined | null = null;

/**
 * Why no namespace can be made here.
 *
 * @returns  The reason; undefined when one can be made.
 */
export function whyNoNetworkNamespace(): string | undefined {
  if (reason !== null) return reason;
  try {
    createNetworkNamespace().remove();
    reason = undefined;
  } catch (error) {
    reason = (error as Error).message;
  }
  return reason;
}

/**
 * Makes a namespace and its cable.
 *
 * @returns  The namespace; the caller removes it.
 * @throws Error when this process may not, or there is no `ip`.
 */
export function createNetworkNamespace(): NetworkNamespace {
  const id = randomBytes(3).toString('hex');
  const [name, near, far] = [`sublace-${id}`, `sl${id}a`, `sl${id}b`];
  // A range for documentation, so that it is nobody's network.
  const subnet = `198.51.100.${(Number.parseInt(id.slice(0, 2), 16) & 0xfc).toString()}`.split('.');
  const address = (host: number): string => [...subnet.slice(0, 3), Number(subnet[3]) + host].join('.');
  const [outside, inside] = [address(1), address(2)];
  ip('netns', 'add', name);
  const remove = (): void => {
    spawnSync('ip', ['netns', 'del', name]);
    spawnSync('ip', ['link', 'del', near]);
  };
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name);
    ip('addr', 'add', `${outside}/30`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', name, 'addr', 'add', `${inside}/30`, 'dev', far);
    ip('-n', name, 'link', 'set', far, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  } catch (error) {
    remove();
    throw error;
  }
  return {
    inside,
    outside,
    prefix: ['ip', 'netns', 'exec', name],
    pull: () => ip('link', 'set', near, 'down'),
    plug: () => ip('link', 'set', near, 'up'),
    remove,
  };
}

function ip(...args: string[]): void {
  const { status, error, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: expected it to work, got ${(error?.message ?? stderr).trim()}`);
}
