// Ignores every polite request to end, and never says that it is ready unless told.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
if (process.argv.includes('ready')) console.log('{}');
setInterval(() => undefined, 1000);
