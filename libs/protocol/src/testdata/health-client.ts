import { credentials, loadPackageDefinition, type Client, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';

type Check = (request: { service: string }, callback: (error: ServiceError | null, answer?: { status: string }) => void) => void;

const { grpc } = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
  grpc: { health: { v1: { Health: new (...args: ConstructorParameters<typeof Client>) => Client & { check: Check } } } };
};

/** A probe, as orchestrators have them. */
export class HealthClient {
  readonly #client;

  constructor(address: string) {
    this.#client = new grpc.health.v1.Health(address, credentials.createInsecure());
  }

  check(service: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#client.check({ service }, (error, answer) => (error ? reject(error) : resolve(answer?.status)));
    });
  }

  close(): void {
    this.#client.close();
  }
}
