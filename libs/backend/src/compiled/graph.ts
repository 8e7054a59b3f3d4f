import { bytesField, floatField, integerField, messageField, type Field } from './protobuf.ts';

/** An attribute of an operation, as the addon takes it. */
export interface Attribute {
  readonly name: string;
  /** One of TensorFlow's `TF_AttrType`. */
  readonly type: number;
  readonly value: unknown;
}

/** An output of a node: its name and which. */
export interface Port {
  readonly node: string;
  readonly output: number;
}

/** One operation. */
export interface GraphNode {
  readonly name: string;
  readonly operation: string;
  readonly inputs: readonly Port[];
  readonly attributes: readonly Attribute[];
}

/** A tensor that is part of a graph. */
export interface Constant {
  readonly name: string;
  /** TensorFlow's number of the type. */
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A tensor that is given when the graph runs. */
export interface Placeholder {
  readonly name: string;
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** TF_AttrType */
const ATTRIBUTE = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 } as const;

/** Version of the graph format that is written: the one of TensorFlow 1.12 and later. */
const PRODUCER = 27;

/** Name of the file that the runtime looks for in a folder. */
export const GRAPH_FILE = 'saved_model.pb';

/** Under which the graph is found in its file. */
export const SERVE_TAG = 'serve';

/**
 * A graph as a SavedModel file, `saved_model.pb` (TensorFlow's saved_model.proto, graph.proto, node_def.proto, attr_value.proto, tensor.proto).
 *
 * @param graph  Nodes in any order, constants and placeholders.
 * @param graph.nodes  The operations.
 * @param graph.constants  Tensors that are part of it.
 * @param graph.placeholders  Tensors that are given.
 * @returns  The bytes.
 */
export function savedModelBytes(graph: {
  readonly nodes: readonly GraphNode[];
  readonly constants: readonly Constant[];
  readonly placeholders: readonly Placeholder[];
}): Uint8Array {
  const nodes = [
    ...graph.placeholders.map(({ name, dtype, shape }) =>
      node(
        name,
        'Placeholder',
        [],
        [attribute('dtype', integerField(6, dtype)), attribute('shape', messageField(7, ...shapeFields(shape)))],
      ),
    ),
    ...graph.constants.map(({ name, dtype, shape, bytes }) =>
      node(
        name,
        'Const',
        [],
        [
          attribute('dtype', integerField(6, dtype)),
          attribute('value', messageField(8, integerField(1, dtype), messageField(2, ...shapeFields(shape)), bytesField(4, bytes))),
        ],
      ),
    ),
    ...graph.nodes.map(({ name, operation, inputs, attributes }) =>
      node(
        name,
        operation,
        inputs.map((port) => `${port.node}:${port.output}`),
        attributes.map((each) => attribute(each.name, attributeValue(each))),
      ),
    ),
  ];
  const versions = messageField(4, integerField(1, PRODUCER));
  const metaGraph = messageField(2, messageField(1, bytesField(4, SERVE_TAG)), messageField(2, ...nodes, versions));
  return Buffer.concat([integerField(1, 1), metaGraph]);
}

function node(name: string, operation: string, inputs: readonly string[], attributes: readonly Field[]): Field {
  return messageField(1, bytesField(1, name), bytesField(2, operation), ...inputs.map((input) => bytesField(3, input)), ...attributes);
}

/** An entry of the map of attributes. */
function attribute(name: string, value: Field): Field {
  return messageField(5, bytesField(1, name), messageField(2, value));
}

function attributeValue({ name, type, value }: Attribute): Field {
  const isList = Array.isArray(value) && type !== ATTRIBUTE.shape;
  const each = (single: unknown, list: boolean): Field => {
    switch (type) {
      case ATTRIBUTE.string:
        return bytesField(2, String(single));
      case ATTRIBUTE.int:
        return integerField(3, Number(single));
      case ATTRIBUTE.float:
        return floatField(4, Number(single));
      case ATTRIBUTE.bool:
        return integerField(5, single === true ? 1 : 0);
      case ATTRIBUTE.type:
        return integerField(6, Number(single));
      case ATTRIBUTE.shape:
        return messageField(7, ...shapeFields(single as number[]));
      default:
        throw new Error(`attribute ${name}${list ? ' of a list' : ''}: expected a type that graphs have, got ${type}`);
    }
  };
  return isList ? messageField(1, ...value.map((single) => each(single, true))) : each(value, false);
}

function shapeFields(shape: readonly number[]): Field[] {
  return shape.map((extent) => messageField(2, integerField(1, extent)));
}
