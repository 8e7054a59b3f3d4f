import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '@sublace/test-servers';
import { describe, expect, it } from 'vitest';
import { integerIn, parseRole, roleCommand, securityVariables, type RoleOptions } from './index.ts';

interface Options extends RoleOptions {
  slots: number;
}

function parse(args: string[], env: NodeJS.ProcessEnv = {}): Options | null {
  return parseRole<Options>(
    roleCommand('sublace role', 'Does things.', 50400).option('--slots <count>', 'how many', integerIn(1, 9), 2),
    args,
    env,
  );
}

describe('the options of a role', () => {
  it('have defaults, and carry the token from the environment', () => {
    expect(parse([])).toEqual({ host: '127.0.0.1', port: 50400, logLevel: 'info', slots: 2, security: {} });
    const args = ['--host', '::', '--port', '0', '--advertise-host', 'a', '--metrics-port', '0', '--log-level', 'warn', '--slots', '3'];
    expect(parse(args, { SUBLACE_TOKEN: 'secret' })).toEqual({
      host: '::',
      port: 0,
      advertiseHost: 'a',
      metricsPort: 0,
      logLevel: 'warn',
      slots: 3,
      security: { token: 'secret' },
    });
  });

  it('take no token on the command line, and name what they cannot understand in one line', () => {
    const refused = expect.objectContaining({ code: 'USAGE', exitCode: 2, message: expect.stringMatching(/^[^\n]+$/) as string }) as Error;
    for (const bad of [['--token', 'x'], ['--port', '65536'], ['--slots', '0'], ['--log-level', 'loud'], ['extra'], ['--no-such']]) {
      expect(() => parse(bad)).toThrow(refused);
    }
    expect(() => parse([], { SUBLACE_TLS_CLIENT_AUTH: 'maybe' })).toThrow(refused);
  });

  it('name certificates by flag or by variable, the flag first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sublace-roles-'));
    try {
      const authority = await createAuthority(folder);
      const { cert, key } = await authority.issue('server');
      const variables = { SUBLACE_TLS_CA: authority.ca, SUBLACE_TLS_CERT: cert, SUBLACE_TLS_KEY: key, SUBLACE_TLS_CLIENT_AUTH: '1' };
      const byVariable = parse([], variables)?.security;
      const byFlag = parse(['--tls-ca', authority.ca, '--tls-cert', cert, '--tls-key', key, '--tls-client-auth'], {
        SUBLACE_TLS_CA: join(folder, 'absent'),
      })?.security;
      expect(byVariable?.tls?.requireClientCertificate).toBe(true);
      expect(byFlag).toEqual(byVariable);
      expect(() => parse([], { ...variables, SUBLACE_TLS_KEY: cert })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', exitCode: 42 }),
      );
      writeFileSync(join(folder, 'token'), 'from-file\n');
      expect(parse(['--token-file', join(folder, 'token')], { SUBLACE_TOKEN: 'x' })?.security).toEqual({ token: 'from-file' });
      expect(parse([], { SUBLACE_TOKEN_FILE: join(folder, 'token') })?.security).toEqual({ token: 'from-file' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('can be told apart from everything else in the environment', () => {
    expect(securityVariables().sort()).toEqual([
      'SUBLACE_TLS_CA',
      'SUBLACE_TLS_CERT',
      'SUBLACE_TLS_CLIENT_AUTH',
      'SUBLACE_TLS_KEY',
      'SUBLACE_TLS_SERVER_NAME',
      'SUBLACE_TOKEN',
      'SUBLACE_TOKEN_FILE',
    ]);
  });
});
