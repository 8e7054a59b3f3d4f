import { resolve } from 'node:path';
import { openRegistry, readManifestAt, type Pointers, type RegisteredVersion, type Registry } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { POSTERIOR_KIND, SEQUENCE_KIND, type PosteriorManifest } from '@sublace/pipeline';
import { Command, InvalidArgumentError } from 'commander';
import { absolutePlace } from '../absolute-paths.ts';
import { count } from '../options.ts';
import { formatTable } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options as commander delivers them. */
interface RegistryFlags {
  readonly registry?: string;
}

/** Those of `set`. */
interface SetFlags extends RegistryFlags {
  readonly expected?: number | null;
  readonly share?: number;
}

/** The label that is looked up when none is named. */
const STABLE = 'stable';

/** A version, or none. */
function versionOrNone(text: string): number | null {
  return text === 'none' ? null : count()(text);
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError(`expected a share from 0 to 1, got '${text}'`);
}

function addCommand(terminal: () => Terminal): Command {
  return withRegistry('add', 'give a posterior the next version of a name; the same posterior again keeps its version')
    .argument('<posterior>', 'its folder, or s3://BUCKET/PATH')
    .requiredOption('--name <name>', 'name of the model')
    .option('--label <label>', 'label that stands for it from now on, such as stable')
    .action(async (posterior: string, flags: RegistryFlags & { name: string; label?: string }) => {
      const uri = absolutePlace(posterior);
      const manifest = await readManifestAt(uri, { kind: [POSTERIOR_KIND, SEQUENCE_KIND] });
      await use(flags, async (registry) => {
        const found = await registry.register(flags.name, {
          uri,
          digest: String(manifest.digest),
          facts: factsOf(manifest as PosteriorManifest),
        });
        if (flags.label !== undefined) await registry.setPointer(flags.name, flags.label, found.version);
        terminal().result({ name: flags.name, ...found }, () =>
          describeVersion(flags.name, found, flags.label === undefined ? [] : [flags.label]),
        );
      });
    });
}

function listCommand(terminal: () => Terminal): Command {
  return withRegistry('list', 'the names of a registry, or the versions of one of them')
    .argument('[name]', 'name of the model')
    .action(async (name: string | undefined, flags: RegistryFlags) => {
      await use(flags, async (registry) => {
        if (name === undefined) {
          const names: { name: string; labels: Pointers['labels'] }[] = [];
          for (const each of await registry.names()) names.push({ name: each, labels: (await registry.pointers(each)).labels });
          terminal().result({ names }, () => {
            const rows = names.map((each) => [each.name, Object.entries(each.labels).map(([label, version]) => `${label}: ${version}`).join(', ')]); // prettier-ignore
            return formatTable(['name', 'labels'], rows);
          });
          return;
        }
        const [versions, { labels }] = [await registry.list(name), await registry.pointers(name)];
        terminal().result({ name, labels, versions }, () => {
          const rows = versions.map(({ version, digest, registeredAt, uri }) => {
            return [version, labelsOf(version, labels).join(', '), digest.slice(0, 16), registeredAt, uri];
          });
          return formatTable(['version', 'labels', 'digest', 'registered', 'where'], rows);
        });
      });
    });
}

function setCommand(terminal: () => Terminal): Command {
  return withRegistry('set', 'let a label stand for a version, or for none')
    .argument('<name>', 'name of the model')
    .argument('<label>', 'such as stable')
    .argument('<version>', "its number, or 'none'", versionOrNone)
    .option('--expected <version>', "change it only if it stands for this version now, or for 'none'", versionOrNone)
    .option('--share <share>', 'share of the requests without a version that the label answers, 0 to 1, such as 0.1 for canary', share)
    .action(async (name: string, label: string, version: number | null, flags: SetFlags) => {
      const { expected, share: newShare } = flags;
      const options = { ...(expected !== undefined && { expected }), ...(newShare !== undefined && { share: newShare }) };
      await use(flags, async (registry) => {
        const { labels, shares } = await registry.setPointer(name, label, version, options);
        terminal().result({ name, labels, ...(shares && { shares }) }, () => {
          const part = shares?.[label] === undefined ? '' : `, for ${100 * shares[label]} % of the requests`;
          return `${name}: ${label} stands for ${version === null ? 'no version' : `version ${version}`}${part}`;
        });
      });
    });
}

function showCommand(terminal: () => Terminal): Command {
  return withRegistry('show', 'one version of a name')
    .argument('<name>', 'name of the model')
    .argument('[version]', 'its number or a label', STABLE)
    .action(async (name: string, version: string, flags: RegistryFlags) => {
      await use(flags, async (registry) => {
        const found = /^\d+$/.test(version) ? await registry.get(name, Number(version)) : await registry.resolve(name, version);
        const labels = labelsOf(found.version, (await registry.pointers(name)).labels);
        terminal().result({ name, ...found, labels }, () => describeVersion(name, found, labels));
      });
    });
}

/**
 * `sublace registry add|list|set|show`: versions of posteriors under names, and the labels that stand for one of them.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function registryCommand(terminal: () => Terminal): Command {
  return new Command('registry')
    .description('versions of posteriors under names, and labels such as stable')
    .addCommand(addCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(setCommand(terminal))
    .addCommand(showCommand(terminal));
}

function withRegistry(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option(
      '--registry <uri>',
      'a folder, s3://BUCKET/PREFIX or redis://HOST:PORT/DATABASE?namespace=NAME (default: SUBLACE_REGISTRY)',
      (text) => {
        if (text === '') throw new InvalidArgumentError('expected a place, got nothing');
        return text;
      },
    );
}

async function use(flags: RegistryFlags, action: (registry: Registry) => Promise<void>): Promise<void> {
  const uri = flags.registry ?? process.env.SUBLACE_REGISTRY;
  if (!uri) throw new SublaceError('USAGE', 'expected --registry <uri> or SUBLACE_REGISTRY, got neither');
  const registry = openRegistry(/^[a-z0-9]+:\/\//i.test(uri) ? uri : resolve(uri));
  try {
    await action(registry);
  } finally {
    await registry.close();
  }
}

/** What helps to choose between versions. */
function factsOf({ kind, subnetwork, likelihood, logMarginalLikelihood, model, posteriors }: Partial<PosteriorManifest>) {
  return {
    kind: String(kind),
    ...(subnetwork && { size: subnetwork.size, rule: subnetwork.rule }),
    ...(likelihood && { likelihood }),
    ...(logMarginalLikelihood !== undefined && { logMarginalLikelihood }),
    ...(model && { modelDigest: model.digest }),
    ...(Array.isArray(posteriors) && { sizes: posteriors.map((part) => (part as { size: number }).size) }),
  };
}

function labelsOf(version: number, labels: Pointers['labels']): string[] {
  return Object.entries(labels).flatMap(([label, pointed]) => (pointed === version ? [label] : []));
}

function describeVersion(name: string, { version, uri, digest, registeredAt }: RegisteredVersion, labels: readonly string[]): string {
  const title = `${name}, version ${version}${labels.length > 0 ? ` (${labels.join(', ')})` : ''}`;
  return `${title}\nwhere: ${uri}\ndigest: ${digest}\nregistered: ${registeredAt}`;
}
