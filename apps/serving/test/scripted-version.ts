import type { SublaceError } from '@sublace/errors';
import type { LoadedModel } from '../src/models/model.ts';
import type { WantedVersion } from '../src/models/wanted-model.ts';

/** A load that has begun and not ended. */
export interface PendingLoad {
  readonly version: string;
  /** Ends it, with a model. */
  succeed(): void;
  fail(error: SublaceError): void;
}

/** Versions whose loads end when a test says so, and models that know whether they may still be asked. */
export class ScriptedVersions {
  /** In the order in which they began. */
  readonly pending: PendingLoad[] = [];
  /** Models that are loaded and not disposed of, by version. */
  readonly alive = new Map<LoadedModel, string>();
  /** What must never happen: an inference of a model that is gone, and the like. */
  readonly violations: string[] = [];
  /** How often each version was loaded. */
  readonly loads: Record<string, number> = {};
  /** What is found at the place of a version; another text is another artifact. */
  readonly artifacts = new Map<string, string>();
  readonly #bytes: number;

  /**
   * @param bytes  What each model takes.
   */
  constructor(bytes = 0) {
    this.#bytes = bytes;
  }

  /** A version whose load waits for the test. */
  version(version: string): WantedVersion {
    return {
      version,
      fingerprint: () => Promise.resolve(this.artifacts.get(version) ?? ''),
      estimateBytes: () => Promise.resolve(this.#bytes),
      load: () =>
        new Promise((resolve, reject) => {
          this.loads[version] = (this.loads[version] ?? 0) + 1;
          const end = (action: () => void) => (): void => {
            this.pending.splice(this.pending.indexOf(load), 1);
            action();
          };
          const load: PendingLoad = {
            version,
            succeed: end(() => resolve(this.#model(version))),
            fail: (error) => end(() => reject(error))(),
          };
          this.pending.push(load);
        }),
    };
  }

  /** A model that answers `y` = its version, for one example. */
  #model(version: string): LoadedModel {
    const model: LoadedModel = {
      description: {
        platform: 'test',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
        defaultOutputs: ['y'],
        properties: {},
        card: {},
        memoryBytes: this.#bytes,
      },
      infer: (requests) => {
        if (!this.alive.has(model)) this.violations.push(`inference of version ${version}, which is gone`);
        return Promise.resolve(
          requests.map(() => ({
            outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [1, 1], data: Float32Array.of(Number(version)) }],
          })),
        );
      },
      dispose: () => {
        if (!this.alive.delete(model)) this.violations.push(`version ${version} disposed of twice`);
        return Promise.resolve();
      },
    };
    this.alive.set(model, version);
    return model;
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}
