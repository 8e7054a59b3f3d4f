export { integerIn, parseCommand } from './command-line.ts';
export { addSecurityOptions, readSecurity, securityVariables } from './security-options.ts';
export { nodeOptionsOf, type Role } from './node-options.ts';
export { parseRole, roleCommand, type RoleOptions } from './role-options.ts';
export { runRole, type RunningRole } from './run-role.ts';
