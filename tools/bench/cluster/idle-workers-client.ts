/** Many idle workers in one process: a presence stream and long polls each, as real workers have them, on a connection of its own. */
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { services } from '@sublace/protocol';

const [address, count, waitMs] = process.argv.slice(2);
const PRESENCE_MS = 3_600_000;
const SLACK_MS = 10_000;
/** A pause after a failed poll, as workers have it. */
const PAUSE_MS = 250;

/** Connections that this process would else share, and the pings of the protocol's own. */
const OPTIONS = { 'grpc.use_local_subchannel_pool': 1, 'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 20_000 };

let accepted = 0;
for (let i = 0; i < Number(count); i++) {
  const client = new services.Coordinator(address, credentials.createInsecure(), OPTIONS);
  const workerId = `idle-${process.pid}-${i}`;
  const stream = client.attend({ workerId }, { deadline: Date.now() + PRESENCE_MS });
  stream.on('data', () => {
    if (++accepted === Number(count)) process.send?.('attached');
  });
  stream.on('error', (error: ServiceError) => {
    throw error;
  });
  const poll = (): void => {
    const deadline = { deadline: Date.now() + Number(waitMs) + SLACK_MS };
    client.claimShard({ workerId, waitMs: Number(waitMs) }, new Metadata(), deadline, (error) => {
      if (error) setTimeout(poll, PAUSE_MS);
      else poll();
    });
  };
  poll();
}

process.on('disconnect', () => process.exit(0));
