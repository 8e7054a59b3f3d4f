/**
 * Loaded into every child process before its own code (`--import`): when the channel to the parent closes, because the parent ended in
 * whatever way, kill -9 included, the child ends too. First politely, then for certain.
 */
import { isMainThread } from 'node:worker_threads';

const GRACE_MS = 5000;

// Node passes --import on to worker threads, where there is no channel.
if (isMainThread) {
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
  });
  // A listener for 'disconnect' keeps the process alive; a role that has nothing left to do must be able to end.
  process.channel?.unref();
}
