// Says that it is ready, on the second line, and stays.
console.error('a log line');
console.log('not JSON');
console.log(JSON.stringify({ address: '127.0.0.1:1', args: process.argv.slice(2) }));
setInterval(() => undefined, 1000);
