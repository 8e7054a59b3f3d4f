export { PHASES, isPhase, phaseAfter, type Phase, type TaskSummary, type JsonValue, type JsonObject } from './phase.ts';
