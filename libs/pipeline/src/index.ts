export { modelJsonPath, readModelFiles } from './model/model-files.ts';
