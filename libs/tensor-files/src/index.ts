export { DTYPES, elementCount, toFloat32, type Tensor, type TensorData, type TensorDtype } from './tensor.ts';
export { readSafetensors, writeSafetensors, decodeSafetensor, type SafetensorsFile } from './safetensors.ts';
export { readSafetensorsHeader, safetensorsHeaderBytes, type SafetensorsEntry, type SafetensorsHeader } from './safetensors-header.ts';
export { layoutSafetensors, type SafetensorsLayout, type TensorSpec } from './safetensors-layout.ts';
export { createSafetensorsWriter, type ByteSink, type SafetensorsWriter } from './safetensors-writer.ts';
export { readNpy, writeNpy } from './npy.ts';
export { readNpz } from './npz.ts';
