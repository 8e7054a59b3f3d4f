export { createLogger, type Logger, type LoggerOptions, type LogLevel } from './logger.ts';
export { Counter, Gauge, Histogram, createRegistry, serveMetrics, type MetricsServer, type Registry } from './metrics.ts';
