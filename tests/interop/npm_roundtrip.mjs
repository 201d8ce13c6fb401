// What the published packages write, the rvf command reads with the same answers, and the other way
// round. Run by run_npm.sh: node npm_roundtrip.mjs RVF NODE_MODULES WORK_FOLDER
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [rvf, modules, work] = process.argv.slice(2);
const require = createRequire(join(modules, 'x.js'));
const engines = {
  'rvf-node 0.2.3': require('@ruvector/rvf-node').RvfDatabase,
  'rvf-node 0.1.8': require('rvf-node-old').RvfDatabase,
};
const oldest = 'rvf-node 0.1.8';
let checks = 0;
let failures = 0;

function check(condition, what) {
  ++checks;
  if (condition) return;
  ++failures;
  console.log(`  FAILED: ${what}`);
}
const run = (...args) => execFileSync(rvf, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
const lines = (text) => text.trim().split('\n').filter(Boolean).map((l) => JSON.parse(l));

// A small generator, so that a failure repeats.
let state = 12345;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296;
}
const vector = (dim) => Float32Array.from({ length: dim }, () => Math.fround(random() * 2 - 1));

function distance(metric, a, b) {
  let dot = 0, aa = 0, bb = 0, l2 = 0;
  for (let i = 0; i < a.length; ++i) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    l2 += (a[i] - b[i]) ** 2;
  }
  if (metric === 'l2') return l2;
  return metric === 'cosine' ? 1 - dot / Math.sqrt(aa * bb) : -dot;
}
function brute(metric, rows, q, k) {
  const all = [...rows].map(([id, v]) => ({ id, distance: distance(metric, q, v) }));
  return all.sort((a, b) => a.distance - b.distance || a.id - b.id).slice(0, k);
}
const near = (a, b) => Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(a), Math.abs(b));
// Same distances in order; the same ids wherever no tie leaves a choice.
function same(got, want) {
  if (got.length !== want.length) return false;
  const last = want.length ? want[want.length - 1].distance : 0;
  const ids = new Set(got.map((h) => h.id));
  const d = got.map((h) => h.distance).sort((a, b) => a - b);
  return want.every((h, i) => near(d[i], h.distance) && (near(h.distance, last) || ids.has(h.id)));
}
const overlap = (got, want) => {
  const ids = new Set(want.map((h) => h.id));
  return got.filter((h) => ids.has(h.id)).length / want.length;
};

function rvfQuery(file, queries, k, ...more) {
  const path = join(work, 'queries.jsonl');
  writeFileSync(path, queries.map((q) => JSON.stringify({ vector: [...q] })).join('\n') + '\n');
  return lines(run('query', file, '--queries', path, '-k', String(k), '--json', ...more))
    .map((r) => r.ids.map((id, i) => ({ id, distance: r.distances[i] })));
}
function rvfRows(file) {
  const path = join(work, 'export.jsonl');
  rmSync(path, { force: true });
  run('export', file, path);
  const text = readFileSync(path, 'utf8');
  return new Map(lines(text).map((r) => [r.id, Float32Array.from(r.vector)]));
}
function sameRows(got, want) {
  if (got.size !== want.size) return false;
  for (const [id, v] of want) {
    const g = got.get(id);
    if (!g || g.some((x, i) => x !== v[i])) return false;
  }
  return true;
}
function ingest(db, rows, ids) {
  const dim = rows.get(ids[0]).length;
  const flat = new Float32Array(ids.length * dim);
  ids.forEach((id, i) => flat.set(rows.get(id), i * dim));
  db.ingestBatch(flat, ids);
}

// A store of the package, and what is in it by its own rules: a deleted id stays invisible.
function scenario(name, engine, metric) {
  const Db = engines[engine];
  const file = join(work, `${engine.replace(/\W+/g, '_')}_${name}_${metric}.rvf`);
  const big = name === 'indexed';
  const dim = big ? 32 : 24;
  const rows = new Map();
  const db = Db.create(file, { dimension: dim, metric });
  for (let i = 0; i < (big ? 3000 : 200); ++i) rows.set(i * 3 + 1, vector(dim));
  ingest(db, rows, [...rows.keys()]);
  if (name === 'changed') {
    const again = [4, 7, 10];
    again.forEach((id) => rows.set(id, vector(dim)));
    ingest(db, rows, again);
    const gone = [1, 13, 16, 598, 999999];
    db.delete(gone);
    gone.forEach((id) => rows.delete(id));
    const more = [5000, 6001];
    more.forEach((id) => rows.set(id, vector(dim)));
    ingest(db, rows, more);
  }
  if (name === 'compacted') {
    const gone = [1, 4, 7];
    db.delete(gone);
    gone.forEach((id) => rows.delete(id));
    db.compact();
  }
  if (big) db.query(vector(dim), 10, { efSearch: 300 });
  db.close();
  return { file, rows, dim, metric: engine === oldest ? 'l2' : metric };
}

function packageReads(engine, file, metric, rows, queries, least) {
  const db = engines[engine].openReadonly(file);
  const start = process.hrtime.bigint();
  db.query(queries[0], 10);
  const first = Number(process.hrtime.bigint() - start) / 1e6;
  let found = 0;
  for (const q of queries) {
    const got = db.query(q, 10, { efSearch: 400 });
    const want = brute(metric, rows, q, 10);
    found += overlap(got, want);
    if (least === 1) check(same(got, want), `${engine} and exact search agree on ${file}`);
  }
  found /= queries.length;
  check(found >= least, `${engine} finds ${found.toFixed(3)} of the neighbours in ${file}`);
  check(db.status().totalVectors === rows.size, `${engine} counts the vectors of ${file}`);
  db.close();
  return { first, recall: found };
}

console.log('1. packages write, rvf reads');
for (const engine of Object.keys(engines)) {
  for (const name of ['plain', 'changed', 'compacted', 'indexed']) {
    for (const metric of ['l2', 'inner_product', 'cosine']) {
      const s = scenario(name, engine, metric);
      const queries = Array.from({ length: 10 }, () => vector(s.dim));
      const status = JSON.parse(run('status', s.file, '--json'));
      check(status.layout === 'runtime', `${s.file} is recognised`);
      check(status.metric === { l2: 'l2', inner_product: 'ip', cosine: 'cosine' }[s.metric],
        `metric of ${s.file}`);
      check(sameRows(rvfRows(s.file), s.rows), `rvf export of ${s.file}`);
      const ours = rvfQuery(s.file, queries, 10);
      const db = engines[engine].openReadonly(s.file);
      let agreeing = 0;
      queries.forEach((q, i) => {
        check(same(ours[i], brute(s.metric, s.rows, q, 10)), `rvf query of ${s.file}`);
        const theirs = db.query(q, 10, { efSearch: 400 });
        if (name === 'indexed') agreeing += overlap(theirs, ours[i]) / queries.length;
        else check(same(theirs, ours[i]), `package and rvf agree on ${s.file}`);
      });
      db.close();
      if (name === 'indexed') {
        check(agreeing >= 0.95, `${engine} finds ${agreeing} of rvf's exact neighbours`);
      }
      // There and back.
      const native = s.file + '.native';
      const back = s.file + '.back.rvf';
      run('convert', s.file, native, '--to', 'native');
      run('convert', native, back, '--to', 'runtime');
      check(sameRows(rvfRows(native), s.rows), `${s.file} converted to native`);
      packageReads(engine, back, s.metric, s.rows, queries, name === 'indexed' ? 0.95 : 1);
    }
  }
  console.log(`  ${engine}: plain, changed, compacted, indexed x l2, inner_product, cosine`);
}

console.log('2. rvf writes, packages read');
for (const [count, dim] of [[300, 16], [6000, 64]]) {
  for (const [metric, theirs] of [['l2', 'l2'], ['cosine', 'cosine'], ['ip', 'inner_product']]) {
    const rows = new Map();
    for (let i = 0; i < count; ++i) rows.set(i * 2 + 5, vector(dim));
    const native = join(work, `native_${count}_${metric}.rvf`);
    const input = join(work, 'input.jsonl');
    writeFileSync(input, '');
    for (const [id, v] of rows) appendFileSync(input, JSON.stringify({ id, vector: [...v] }) + '\n');
    run('ingest', native, input, '--create', '--metric', metric, '--quiet');
    const gone = count === 300 ? [5, 7, 9] : [];
    if (gone.length) run('delete', native, '--ids', gone.join(','));
    gone.forEach((id) => rows.delete(id));
    const indexed = join(work, `to_${count}_${metric}.rvf`);
    const plain = join(work, `to_${count}_${metric}_plain.rvf`);
    run('convert', native, indexed, '--to', 'runtime');
    run('convert', native, plain, '--to', 'runtime', '--no-index');
    const queries = Array.from({ length: 20 }, () => vector(dim));
    const exact = rvfQuery(native, queries, 10, '--exact');
    queries.forEach((q, i) => check(same(exact[i], brute(theirs, rows, q, 10)), 'rvf is exact'));
    const least = count > 1000 ? 0.9 : 1;
    const a = packageReads('rvf-node 0.2.3', indexed, theirs, rows, queries, least);
    const b = packageReads('rvf-node 0.2.3', plain, theirs, rows, queries, least);
    if (metric === 'l2') {
      const c = packageReads(oldest, indexed, 'l2', rows, queries, 1);
      console.log(`  ${oldest}, ${count} x ${dim} l2: exact, first query ${c.first.toFixed(1)} ms`);
    }
    console.log(`  rvf-node 0.2.3, ${count} x ${dim} ${metric}: first query ${a.first.toFixed(1)} ms ` +
      `with our graph, ${b.first.toFixed(1)} ms without; recall ${a.recall.toFixed(3)} and ` +
      `${b.recall.toFixed(3)}`);
    if (count > 1000) check(a.first * 5 < b.first, 'our graph is used by the package');

    // The package goes on writing, and the file comes back.
    const Db = engines['rvf-node 0.2.3'];
    const changed = join(work, 'changed.rvf');
    copyFileSync(indexed, changed);
    const db = Db.open(changed);
    const added = [900001, 900002];
    added.forEach((id) => rows.set(id, vector(dim)));
    ingest(db, rows, added);
    db.delete([11, 13]);
    [11, 13].forEach((id) => rows.delete(id));
    db.close();
    check(sameRows(rvfRows(changed), rows), `${changed} after the package wrote to it`);
    const ours = rvfQuery(changed, queries, 10);
    queries.forEach((q, i) => check(same(ours[i], brute(theirs, rows, q, 10)), `query of ${changed}`));
  }
}

console.log('3. string ids and metadata there and back');
{
  const native = join(work, 'keys.rvf');
  const input = join(work, 'keys.jsonl');
  writeFileSync(input, ['{"id":"doc-a","vector":[1,0,0],"lang":"de","year":2020}',
    '{"id":"doc-b","vector":[0,1,0],"lang":"en"}',
    '{"id":"doc \\"c\\"","vector":[0,0,1],"year":-3}'].join('\n') + '\n');
  run('ingest', native, input, '--create', '--quiet');
  const runtime = join(work, 'keys_runtime.rvf');
  run('convert', native, runtime, '--to', 'runtime');
  const ids = JSON.parse(readFileSync(runtime + '.idmap.json', 'utf8'));
  const db = engines['rvf-node 0.2.3'].openReadonly(runtime);
  const hit = db.query(Float32Array.from([0, 1, 0]), 1)[0];
  check(ids.labelToId[String(hit.id)] === 'doc-b', 'the sidecar names the ids of the package');
  check(ids.idToLabel['doc "c"'] !== undefined, 'a string id with quotes');
  db.close();
  rmSync(runtime + '.idmap.json');
  const back = join(work, 'keys_back.rvf');
  run('convert', runtime, back, '--to', 'native');
  const show = (f) => {
    const out = join(work, 'keys_out.jsonl');
    rmSync(out, { force: true });
    run('export', f, out);
    return readFileSync(out, 'utf8');
  };
  check(show(native) === show(back), 'string ids and metadata come back');
  check(existsSync(back), 'converted');
}

console.log(`${checks - failures} passed, ${failures} failed`);
process.exit(failures ? 1 : 0);
