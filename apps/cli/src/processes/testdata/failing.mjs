// Ends before it is ready, the way every role does.
console.error('{"level":50,"msg":"a log line"}');
console.error('sublace: labels: expected 0..9, got 12 (row 3)');
process.exitCode = 42;
