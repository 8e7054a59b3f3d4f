import { spawn } from 'node:child_process';

/**
 * Runs a program to its end.
 *
 * @param command  Name or path.
 * @param args  Its arguments.
 * @param options  `cwd`: working folder; `env`: the environment, by default this process's.
 * @returns  Its standard output.
 * @throws Error with one line of its complaint when it cannot be started or does not end with 0.
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, complaint] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  const status = await new Promise<number | string>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? new Error(`${command} not found`) : error));
    child.on('close', (code, signal) => resolve(code ?? String(signal)));
  });
  if (status !== 0) throw new Error(`${command} ${args[0] ?? ''} failed: ${reason(complaint) || `exit code ${status}`}`);
  return output;
}

/** The one line of a program's complaint that says what is wrong. */
function reason(complaint: string): string {
  const lines = complaint.trim().split('\n');
  return (lines.find((line) => /^E:|\berror:/i.test(line)) ?? lines.at(-1) ?? '').trim();
}
