import { SublaceError } from '@sublace/errors';
import { createCoordinatorClient, type CoordinatorClient } from '@sublace/protocol';
import { addSecurityOptions, readSecurity } from '@sublace/roles';
import { Option, type Command } from 'commander';

/** What every command that asks a running coordinator is told. */
export interface CoordinatorFlags {
  readonly coordinator?: string;
}

/**
 * Adds the options that say which coordinator to ask, and how to connect.
 *
 * @param command  The command, changed.
 * @returns  The same command.
 */
export function addCoordinatorOptions(command: Command): Command {
  command.addOption(
    new Option('--coordinator <address>', 'HOST:PORT of the coordinator; SUBLACE_TOKEN: its token').env('SUBLACE_COORDINATOR'),
  );
  return addSecurityOptions(command, 'client');
}

/**
 * Asks a coordinator and closes the connection.
 *
 * @param flags  Options as commander delivers them.
 * @param ask  What to ask.
 * @returns  The answer.
 * @throws {SublaceError} USAGE without an address, UNAVAILABLE or DEADLINE_EXCEEDED when there is no answer, UNAUTHENTICATED for a wrong token, and
 *   whatever the coordinator answers.
 */
export async function askCoordinator<T>(flags: CoordinatorFlags, ask: (client: CoordinatorClient) => Promise<T>): Promise<T> {
  const { coordinator: address } = flags;
  if (address === undefined)
    throw new SublaceError('USAGE', "required option '--coordinator <address>' not specified; SUBLACE_COORDINATOR can hold it too");
  const client = createCoordinatorClient(address, readSecurity({ ...flags }, process.env));
  try {
    return await ask(client);
  } catch (thrown) {
    throw explained(SublaceError.from(thrown), address);
  } finally {
    client.close();
  }
}

/** Says whom the question was for, where there was no answer. */
function explained(error: SublaceError, address: string): SublaceError {
  const { code, message } = error;
  if (code === 'DEADLINE_EXCEEDED') {
    return new SublaceError(code, `coordinator ${address}: expected an answer within 10 s, got none; check that it runs and is well`, {
      cause: error,
    });
  }
  const isUnreachable = code === 'UNAVAILABLE' && message.includes('no connection');
  return isUnreachable ? new SublaceError(code, `coordinator ${message}; check that it runs there`, { cause: error }) : error;
}
