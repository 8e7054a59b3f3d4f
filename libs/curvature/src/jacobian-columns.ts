import * as tf from '@tensorflow/tfjs';
import type { Network, Rows, Tape } from '@sublace/network';
import { columnsByTangents, tangentRoute } from './tangent-route.ts';

/**
 * Jacobian columns at the weights of a subnetwork, by one batched backward pass: entry (s, r) is seed_r' df(x_n(r), w)/dw_s. One contiguous row
 * per weight, which is how the layers make them and how the tile update reads them.
 *
 * Only the selected columns are ever formed: never the B x C x P Jacobian. The shallowest layer's may come by tangents pushed forward instead.
 *
 * @param network  The network.
 * @param tape  Its forward pass over B examples.
 * @param seeds  Directions in output space, [R, C]. Identity rows give the Jacobian itself; square-root seeds give A' with A'A the GGN.
 * @param rows  Which example each seed belongs to.
 * @param indices  Flat positions of the S weights, strictly ascending.
 * @returns  [S, R]. Owned by the caller.
 * @throws {SublaceError} SUBNETWORK_INVALID for indices out of order or range.
 */
export function jacobianColumns(network: Network, tape: Tape, seeds: tf.Tensor2D, rows: Rows, indices: Int32Array): tf.Tensor2D {
  const parts = network.layout.split(indices);
  const blocks = new Map<number, tf.Tensor>();
  const wanted = parts.map(({ entry, columns }) => ({ layer: entry.layer, weight: entry.weight, columns }));
  const route = tangentRoute(network, wanted, rows.seedCount);
  const reached = new Set(wanted.map(({ layer }) => layer).filter((layer) => layer !== route?.layer));
  network.backpropagate(tape, seeds, rows, reached, (visited) => {
    for (const [position, part] of wanted.entries()) {
      if (part.layer === visited.layer.name) {
        blocks.set(
          position,
          tf.tidy(() => visited.jacobianColumns(part.weight, part.columns)),
        );
      } else if (part.layer === route?.layer && visited.layer.name === route.meets) {
        blocks.set(position, columnsByTangents(network, tape, route, part, visited));
      }
    }
  });
  const ordered = parts.map((_, position) => blocks.get(position) as tf.Tensor2D);
  if (ordered.length === 1) return ordered[0];
  const joined = tf.concat(ordered, 0);
  tf.dispose(ordered);
  return joined;
}
