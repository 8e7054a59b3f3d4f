// Tells its process id on standard error, and never says that it is ready.
console.error(String(process.pid));
setInterval(() => undefined, 1000);
