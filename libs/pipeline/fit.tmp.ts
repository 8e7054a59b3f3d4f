// temporary: a fit in one process, sums naive
import { startBackend } from '@sublace/backend';
import { runFitTask, trainModel, compileFitSpec, openPosterior, evaluate } from '@sublace/pipeline';
import { loadDataset } from '@sublace/data';
import { mkdirSync, rmSync } from 'node:fs';
await startBackend({ threads: 2 });
const [data, arch, rule, limit] = process.argv.slice(2);
const t0 = Date.now(); const lap=(s:string)=>console.log(((Date.now()-t0)/1e3).toFixed(1).padStart(7), s);
const r = await trainModel({ data, architecture: arch, output: '/tmp/m1', training: { epochs: 3 } });
lap(`trained test ${JSON.stringify(r.test)} val ${JSON.stringify(r.validation)}`);
const spec = compileFitSpec({ model: '/tmp/m1', data, subnetwork: rule, output: '/tmp/p1' });
const base = { jobId: 'j', spec, shard: 0, inputs: [] };
const plan: any = (await runFitTask({ ...base, phase: 'plan' })).summary; lap('plan ' + JSON.stringify({ ...plan, shards: plan.shards.length }));
async function sum(phase: any, extra: any) { const acc = new Map<string, any>(); for (let i = 0; i < plan.shards.length; i++) { const r = await runFitTask({ ...base, ...extra, plan, phase, shard: i }); for (const b of r.blocks) { const a = acc.get(b.name) ?? { ...b, data: new Float64Array(b.data.length) }; b.data.forEach((v: number, k: number) => a.data[k] += v); acc.set(b.name, a); } } return [...acc.values()]; }
const scores = await sum('score', {}); lap('scored');
const sel: any = await runFitTask({ ...base, plan, phase: 'select', inputs: scores }); lap('select ' + JSON.stringify(sel.summary));
const ggn = await sum('accumulate', { inputs: sel.blocks, selection: sel.summary }); lap('accumulated');
rmSync('/tmp/p1', { recursive: true, force: true }); mkdirSync('/tmp/p1');
const fin = await runFitTask({ ...base, plan, phase: 'finalise', selection: sel.summary, inputs: [...ggn, ...sel.blocks], staging: '/tmp/p1' }); lap(JSON.stringify({ ...fin.summary, files: 0 }));
const fitted = await openPosterior('/tmp/p1');
for (const d of process.argv.slice(5)) { const ds = await loadDataset(d, { split: 'test', likelihood: fitted.manifest.likelihood }); console.log(d); console.table(evaluate(fitted, ds).scores); lap('evaluated'); }
