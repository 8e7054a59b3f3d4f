import * as tf from '@tensorflow/tfjs';

interface Conv2dOptions {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dilations: [number, number] | number | null;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * Spells out 'same' padding where the filter is smaller than the stride: there the WebAssembly backend computes a negative padding and
 * answers zeros.
 *
 * @param attributes  Attributes of a convolution kernel.
 * @param inputShape  Shape of its input.
 * @param filterShape  Shape of its filter.
 * @returns  The attributes, with explicit padding where 'same' would go wrong.
 */
export function spellOutPadding<T extends object>(
  attributes: T & Partial<Conv2dOptions>,
  inputShape: number[],
  filterShape: number[],
): T & Partial<Conv2dOptions> {
  const { strides, pad, dilations, dataFormat, dimRoundingMode } = attributes as Conv2dOptions;
  if (pad !== 'same' || dataFormat === 'NCHW') return attributes;
  const info = tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations ?? 1, // tf.js's own depthwise layer sets none
    pad,
    dimRoundingMode,
  );
  if (info.effectiveFilterHeight >= info.strideHeight && info.effectiveFilterWidth >= info.strideWidth) return attributes;
  const { top, bottom, left, right } = info.padInfo;
  return {
    ...attributes,
    pad: [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
  };
}
