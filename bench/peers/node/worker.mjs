// @ruvector/rvf-node behind the line protocol of bench/peers: see worker.py. Its addon answers one query a
// call and its files keep no graph: what a fresh process searches is built or scanned there.
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const { RvfDatabase } = createRequire(import.meta.url)('@ruvector/rvf-node');
const BATCH = 1000;

// A C-order f32 array of two dimensions in the npy format.
function npy(path) {
  const file = openSync(path, 'r');
  const head = Buffer.alloc(10);
  readSync(file, head, 0, 10, 0);
  const text = Buffer.alloc(head.readUInt16LE(8));
  readSync(file, text, 0, text.length, 10);
  const [, rows, dim] = /'shape': \((\d+), (\d+)\)/.exec(text.toString('latin1')).map(Number);
  if (!text.includes("'<f4'")) throw new Error('not an f32 array: ' + path);
  closeSync(file);
  const bytes = readFileSync(path).subarray(10 + text.length);
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return { rows, dim, values: new Float32Array(copy.buffer) };
}

function proc(file, name) {
  const line = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/self/${file}`, 'utf8'));
  return line ? Number(line[1]) : 0;
}
function memory(prefix = '') {
  const of = { rss: 'VmRSS', rss_anon: 'RssAnon', rss_file: 'RssFile', peak: 'VmHWM' };
  return Object.fromEntries(Object.entries(of).map(([k, name]) => [prefix + k, proc('status', name) * 1024]));
}
const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9;

let db = null;
let queries = null;

function searchAll(k, knob, count) {
  const options = { efSearch: Number(knob) };
  const ids = new BigUint64Array(count * k).fill(0xffffffffffffffffn);
  for (let q = 0; q < count; ++q) {
    const hits = db.query(queries.values.subarray(q * queries.dim, (q + 1) * queries.dim), k, options);
    for (let i = 0; i < Math.min(k, hits.length); ++i) ids[q * k + i] = BigInt(hits[i].id);
  }
  return ids;
}
const write = (path, ids) => writeFileSync(path, Buffer.from(ids.buffer));

const commands = {
  about: () => ({ batch: false, ...memory() }),
  build([base, path, metric]) {
    const set = npy(base);
    if (existsSync(path)) rmSync(path);
    const before = memory('before_');
    const cpuStart = process.cpuUsage();
    const start = process.hrtime.bigint();
    const store = RvfDatabase.create(path, { dimension: set.dim, metric, m: 16, efConstruction: 200 });
    for (let at = 0; at < set.rows; at += BATCH) {
      const end = Math.min(set.rows, at + BATCH);
      const ids = Array.from({ length: end - at }, (_, i) => at + i);
      store.ingestBatch(set.values.subarray(at * set.dim, end * set.dim), ids);
    }
    store.query(set.values.subarray(0, set.dim), 1, {}); // builds what it searches
    const spent = seconds(start);
    const used = process.cpuUsage(cpuStart);
    store.close();
    return { seconds: spent, cpu_s: (used.user + used.system) / 1e6, bytes: statSync(path).size, rows: set.rows, ...before, ...memory() };
  },
  open([path]) {
    const before = memory('before_');
    const start = process.hrtime.bigint();
    db = RvfDatabase.openReadonly(path);
    return { seconds: seconds(start), bytes: statSync(path).size, ...before, ...memory() };
  },
  queries([path]) {
    queries = npy(path);
    return { queries: queries.rows };
  },
  run([k, knob, passes, out, count]) {
    const n = Math.min(queries.rows, count ? Number(count) : queries.rows);
    const spent = [];
    const cpu = [];
    let ids = null;
    for (let pass = 0; pass < Number(passes); ++pass) {
      const before = process.cpuUsage();
      const start = process.hrtime.bigint();
      ids = searchAll(Number(k), knob, n);
      spent.push(seconds(start));
      const used = process.cpuUsage(before);
      cpu.push((used.user + used.system) / 1e6);
    }
    write(out, ids);
    return { seconds: spent, cpu, count: n, ...memory() };
  },
  first([path, k, knob, out]) {
    const readBefore = proc('io', 'read_bytes');
    const start = process.hrtime.bigint();
    db = RvfDatabase.openReadonly(path);
    const opened = seconds(start);
    const ids = searchAll(Number(k), knob, 1);
    const spent = seconds(start);
    const read = proc('io', 'read_bytes') - readBefore;
    write(out, ids);
    return { seconds: spent, open_s: opened, read_bytes: read, ...memory() };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map((m) =>
    m[1] === undefined ? m[2] : m[1].replace(/\\(.)/g, '$1'));
  if (words.length === 0) continue;
  if (words[0] === 'quit') break;
  let answer;
  try {
    answer = { ok: true, ...commands[words[0]](words.slice(1)) };
  } catch (e) {
    answer = { ok: false, error: String(e.message ?? e) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
