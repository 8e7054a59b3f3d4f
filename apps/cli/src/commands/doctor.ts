import { Command } from 'commander';
import { inspectMachine, type Finding } from '../doctor/inspect-machine.ts';
import { formatPairs } from '../terminal/table.ts';
import type { Terminal } from '../terminal/terminal.ts';

/**
 * `sublace doctor`: what is in use, and what to do about what is missing.
 *
 * @param terminal  Makes the terminal once the global options are known.
 * @returns  The command.
 */
export function doctorCommand(terminal: () => Terminal): Command {
  return new Command('doctor').description('show the runtime in use, and what to do about what is missing').action(async () => {
    const findings = await inspectMachine();
    terminal().result(
      Object.fromEntries(findings.map(({ key, value, remedy }) => [key, remedy === undefined ? value : { value, remedy }])),
      () => {
        const missing = findings.filter((finding): finding is Finding & { remedy: string } => finding.remedy !== undefined);
        const advice =
          missing.length === 0 ? 'Nothing is missing.' : missing.map(({ label, remedy }) => `- ${label}: ${remedy}`).join('\n');
        return `${formatPairs(findings.map(({ label, value }) => [label, String(value)]))}\n\n${advice}`;
      },
    );
  });
}
