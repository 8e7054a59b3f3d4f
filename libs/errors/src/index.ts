export { ERROR_CODES, type ErrorCode } from './codes.ts';
export { SublaceError, isErrorCode } from './sublace-error.ts';
