/** Classes that are not left to tf.js to differentiate, with the reason: their effect lies outside their own `call`, or before the model. */
export const REFUSED_LAYERS: Readonly<Record<string, string>> = {
  Masking: 'masks are not supported, the layers after it would have to leave out steps; train without it',
  CenterCrop: 'tf.js crops by interpolation, not where Keras does; use Cropping2D, or crop the data',
  Resizing: 'resize the data before the model',
  RandomWidth: 'it changes its input at random; take it off before saving',
  RandomHeight: 'it changes its input at random; take it off before saving',
  CategoryEncoding: 'encode the data before the model',
};

/** Classes that tf.js's WebAssembly runtime gets wrong. */
export const REFUSED_ON_WASM: Readonly<Record<string, string>> = {
  MaxPooling3D: 'the WebAssembly runtime takes the maximum of negative numbers for zero; use the native one',
};
