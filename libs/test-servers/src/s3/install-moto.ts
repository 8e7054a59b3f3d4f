import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from '../install/install-once.ts';
import { runProgram } from '../install/run-program.ts';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** Changes with the requirements. */
const FOLDER = 'moto-s3-5.2.5';

/** The Python packages of the S3 server. */
export interface MotoPackages {
  /** Python to run them with. */
  python: string;
  /** Folder for `PYTHONPATH`. */
  folder: string;
}

/**
 * Finds the S3 server of moto, or installs it at the first call: packages of PyPI in a folder of the user's cache, nothing of the system is touched.
 * `SUBLACE_PYTHON` names another Python than `python3`.
 *
 * @returns  How to run it.
 * @throws Error with one line that says what was tried.
 */
export async function installMoto(): Promise<MotoPackages> {
  const python = process.env.SUBLACE_PYTHON ?? 'python3';
  try {
    // Not a virtual environment: it holds its own path, and Debian leaves out what makes one.
    const install = async (folder: string): Promise<void> => {
      const packages = join(folder, 'packages');
      await runProgram(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-warn-script-location', '--target', packages, '--requirement', REQUIREMENTS]); // prettier-ignore
      await runProgram(python, ['-c', 'import moto.s3.models, moto.iam.models, moto.server'], {
        env: { ...process.env, PYTHONPATH: packages },
      });
    };
    return { python, folder: join(await installOnce(FOLDER, [{ name: 'pip', install }]), 'packages') };
  } catch (error) {
    throw new Error(
      `tests need an S3 server: expected to install moto for ${python} from PyPI, and could not (${(error as Error).message}); install python3 and pip`,
      { cause: error },
    );
  }
}
