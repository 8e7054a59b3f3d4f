import { createHash } from 'node:crypto';
import { SublaceError } from '@sublace/errors';

/** One data set that a posterior was fitted to. */
export interface DataSetRecord {
  /** SPEC. */
  readonly spec: string;
  /** Of the raw training examples. */
  readonly digest: string;
  readonly exampleCount: number;
}

/** Everything that a posterior was fitted to. */
export interface DataRecord extends DataSetRecord {
  /** One, or several in the order in which they were added. */
  readonly sets: readonly DataSetRecord[];
}

/**
 * Joins the records of data sets whose GGNs are added.
 *
 * @param records  At least one.
 * @returns  All sets; the digest is that of the only one, else sha256 over all of them, whatever their order.
 * @throws {SublaceError} DATA_INVALID when a data set would count twice. Sets that share only some examples cannot be told.
 */
export function joinData(records: readonly (DataSetRecord | DataRecord)[]): DataRecord {
  const sets = records.flatMap((record) => ('sets' in record ? record.sets : [record]));
  const twice = sets.find(({ digest }, i) => sets.findIndex((set) => set.digest === digest) < i);
  if (twice) {
    const { spec: first } = sets.find((set) => set.digest === twice.digest) as DataSetRecord;
    throw new SublaceError(
      'DATA_INVALID',
      `data ${twice.spec}: expected examples that were not fitted yet, got those of '${first}' (digest ${twice.digest.slice(0, 16)}) again`,
    );
  }
  const digests = sets.map(({ digest }) => digest).sort();
  return {
    spec: sets.map(({ spec }) => spec).join(' + '),
    digest: digests.length === 1 ? digests[0] : createHash('sha256').update(digests.join(' ')).digest('hex'),
    exampleCount: sets.reduce((sum, { exampleCount }) => sum + exampleCount, 0),
    sets: sets.map(({ spec, digest, exampleCount }) => ({ spec, digest, exampleCount })),
  };
}
