#!/usr/bin/env python3
"""Size and filter time of metadata: this store beside Parquet, SQLite and DuckDB, on the same rows.

    metadata_bench.py --rvf build/release/bin/rvf [--rows 1000000] [--folder DIR] [--out result.json] [--keep]

Eight columns of kinds that collections have: lang (12 values, Zipf), year, user (50,000 values, skewed), price (two
decimals), open (bool), created (seconds over two years, in no order), url (unique texts) and tags (0 to 4 of 200).
The seed is fixed; the rows are the same everywhere. The store's vectors are 8 random bytes each; what the metadata
takes is the size of the store less the size of the same store without metadata, both compacted.

A filter's time is the median of 9 counts after one that warms up, inside one process and with everything in memory:
`rvf count --filter F --repeat 10` for the store, a statement for SQLite and DuckDB; Parquet is read by DuckDB. "1t" is
one thread; the store and SQLite use one. Every engine must count the same, or the program ends with 1.

Needs numpy and pyarrow as in tools/importers.txt, and duckdb 2.0.0.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

SEED = 20240531
LANGS = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "fi", "cs", "tr"]
SECTIONS = ["news", "wiki", "blog", "docs", "shop", "forum"]
START = 1672531200  # 2023-01-01
SECONDS = 731 * 86400
SCHEMA = "lang:enum,year:i64,user:u64,price:f64,open:bool,created:timestamp,url:string,tags:list"
REPEAT = 9


class Rows:
    """The columns as numpy arrays and lists."""

    def __init__(self, n):
        rng = np.random.default_rng(SEED)
        zipf = 1 / np.arange(1, 13)
        self.n = n
        self.lang = rng.choice(len(LANGS), n, p=zipf / zipf.sum())
        self.year = 2025 - np.minimum(rng.geometric(0.12, n), 60)
        self.user = (50000 * rng.random(n) ** 2).astype(np.int64)
        self.price = np.round(rng.lognormal(3.5, 1.0, n), 2)
        self.open = rng.random(n) < 0.5
        self.created = START + rng.integers(0, SECONDS, n)
        slugs = rng.integers(0, 1 << 40, n)
        sections = rng.integers(0, len(SECTIONS), n)
        self.url = [f"https://example.com/{SECTIONS[s]}/{x:010x}/{i}" for i, (s, x) in
                    enumerate(zip(sections.tolist(), slugs.tolist()))]
        counts = rng.integers(0, 5, n)
        picks = np.minimum(200 * rng.random((n, 4)) ** 1.5, 199).astype(np.int64)
        self.tags = [[f"tag{t:03}" for t in dict.fromkeys(p[:c])] for p, c in zip(picks.tolist(), counts.tolist())]
        self.vectors = rng.integers(0, 256, (n, 8), np.uint8)

    def jsonl(self, path):
        when = np.datetime_as_string(self.created.astype("datetime64[s]"))
        with open(path, "w", encoding="utf-8") as out:
            for row in zip(self.lang.tolist(), self.year.tolist(), self.user.tolist(), self.price.tolist(),
                           self.open.tolist(), when.tolist(), self.url, self.tags):
                out.write('{"lang":"%s","year":%d,"user":%d,"price":%r,"open":%s,"created":"%sZ","url":"%s","tags":%s}\n' % (
                    LANGS[row[0]], *row[1:4], "true" if row[4] else "false", *row[5:7], json.dumps(row[7])))

    def table(self):
        import pyarrow as pa
        return pa.table({"lang": pa.array(LANGS).take(pa.array(self.lang)), "year": self.year, "user": self.user,
                         "price": self.price, "open": self.open,
                         "created": pa.array(self.created, pa.timestamp("s")), "url": self.url,
                         "tags": pa.array(self.tags, pa.list_(pa.string()))})


def day(n):
    return (datetime.datetime(2023, 1, 1) + datetime.timedelta(days=n)).strftime("%Y-%m-%d")


def filters(rows):
    """(name, filter of the store, SQL condition). {created:X} in SQL is the time X in the engine's form, {tag:X} its
    test for a tag."""
    users = sorted({int(u) for u in rows.user[:400:20]})
    in_users = ", ".join(map(str, users))
    url = rows.url[rows.n // 2]
    u = int(rows.user[rows.n // 3])
    a, b, c = day(400), day(430), day(401)
    return [
        ("bool", "open", "open"),
        ("enum, frequent", "lang = 'en'", "lang = 'en'"),
        ("enum, rare", "lang = 'tr'", "lang = 'tr'"),
        ("range of years", "year between 2010 and 2014", "year between 2010 and 2014"),
        ("price below", "price < 10", "price < 10"),
        ("a month", f"created >= '{a}' and created < '{b}'", f"created >= {{created:{a}}} and created < {{created:{b}}}"),
        ("a day", f"created >= '{a}' and created < '{c}'", f"created >= {{created:{a}}} and created < {{created:{c}}}"),
        ("tag, rare", "tags = 'tag150'", "{tag:tag150}"),
        ("user", f"user = {u}", f'"user" = {u}'),
        ("20 users", f"user in ({in_users})", f'"user" in ({in_users})'),
        ("url", f"url = '{url}'", f"url = '{url}'"),
        ("prefix of url", "url starts with 'https://example.com/news/00'", "{prefix:https://example.com/news/00}"),
        ("enum, year and bool", "lang = 'de' and year >= 2022 and open", "lang = 'de' and year >= 2022 and open"),
        ("tag or not", "tags = 'tag010' and price > 50 or lang = 'fi' and not open",
         "{tag:tag010} and price > 50 or lang = 'fi' and not open"),
        ("four conditions", f"lang = 'nl' and price < 20 and open and created >= '{a}'",
         f"lang = 'nl' and price < 20 and open and created >= {{created:{a}}}"),
    ]


def fill(sql, created, tag, prefix):
    """Puts an engine's own forms into a condition."""
    import re
    sql = re.sub(r"\{created:([^}]*)\}", lambda m: created(m[1]), sql)
    sql = re.sub(r"\{tag:([^}]*)\}", lambda m: tag(m[1]), sql)
    return re.sub(r"\{prefix:([^}]*)\}", lambda m: prefix(m[1]), sql)


def median_us(count):
    """(count, median microseconds) of a function."""
    result = count()
    times = []
    for _ in range(REPEAT):
        start = time.perf_counter()
        count()
        times.append((time.perf_counter() - start) * 1e6)
    return result, statistics.median(times)


class Store:
    def __init__(self, rvf, folder, rows, indexed):
        self.rvf = rvf
        self.path = folder / ("indexed.rvf" if indexed else "plain.rvf")
        bare = folder / "bare.rvf"
        schema = ",".join(f + ":index" if indexed else f for f in SCHEMA.split(","))
        start = time.perf_counter()
        self.run("ingest", self.path, folder / "v.npy", "--create", "--metric", "l2", "--no-index", "--batch", "100000",
                 "--meta", folder / "rows.jsonl", "--schema", schema)
        self.ingest_s = time.perf_counter() - start
        self.run("compact", self.path, "--no-index")
        if not bare.exists():
            self.run("ingest", bare, folder / "v.npy", "--create", "--metric", "l2", "--no-index", "--batch", "100000")
            self.run("compact", bare, "--no-index")
        self.total = self.path.stat().st_size
        self.bytes = self.total - bare.stat().st_size

    def run(self, *arguments):
        p = subprocess.run([self.rvf, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if p.returncode != 0:
            sys.exit(f"rvf {' '.join(map(str, arguments))}: {p.stderr}{p.stdout}")
        return p.stdout

    def count(self, ours, _):
        out = self.run("count", self.path, "--filter", ours, "--repeat", REPEAT + 1, "--json")
        answer = json.loads(out.splitlines()[-1])
        return answer["count"], answer["median_us"]


class Sqlite:
    def __init__(self, folder, rows, indexed):
        self.path = folder / ("indexed.db" if indexed else "plain.db")
        self.indexed = indexed
        db = self.db = sqlite3.connect(self.path, isolation_level=None)
        db.execute("pragma journal_mode = off")
        db.execute("pragma synchronous = off")
        db.execute("create table t(id integer primary key, lang text, year integer, user integer, price real, "
                   "open integer, created integer, url text, tags text)")
        langs = [LANGS[i] for i in rows.lang.tolist()]
        db.execute("begin")
        db.executemany("insert into t values(?, ?, ?, ?, ?, ?, ?, ?, ?)", zip(
            range(rows.n), langs, rows.year.tolist(), rows.user.tolist(), rows.price.tolist(), rows.open.tolist(),
            rows.created.tolist(), rows.url, map(json.dumps, rows.tags)))
        if indexed:
            for column in ("lang", "year", "user", "price", "open", "created", "url"):
                db.execute(f"create index t_{column} on t({column})")
            db.execute("create table tag(tag text, id integer, primary key (tag, id)) without rowid")
            db.executemany("insert into tag values(?, ?)", sorted((t, i) for i, ts in enumerate(rows.tags) for t in ts))
            db.execute("analyze")
        db.execute("commit")
        db.execute("vacuum")
        db.execute("pragma mmap_size = 4294967296")
        db.execute("pragma cache_size = -2000000")
        self.bytes = self.path.stat().st_size

    def count(self, _, sql):
        tag = ((lambda t: f"id in (select id from tag where tag = '{t}')") if self.indexed else
               (lambda t: f"exists (select 1 from json_each(tags) where value = '{t}')"))
        where = fill(sql, lambda d: str(int(datetime.datetime.fromisoformat(d + "T00:00:00+00:00").timestamp())), tag,
                     lambda p: f"url >= '{p}' and url < '{p[:-1]}{chr(ord(p[-1]) + 1)}'")
        return median_us(lambda: self.db.execute(f"select count(*) from t where {where}").fetchone()[0])


class DuckDb:
    def __init__(self, folder, table, threads, parquet=None):
        import duckdb
        self.path = folder / "rows.duckdb"
        self.source = f"read_parquet('{parquet}')" if parquet else "t"
        if parquet:
            self.db = duckdb.connect()
        else:
            fresh = not self.path.exists()
            self.db = duckdb.connect(str(self.path))
            if fresh:
                self.db.register("rows", table)
                self.db.execute("create table t as select * from rows")
                self.db.execute("checkpoint")
            self.bytes = self.path.stat().st_size
        if threads:
            self.db.execute(f"set threads = {threads}")

    def count(self, _, sql):
        where = fill(sql, lambda d: f"timestamp '{d}'", lambda t: f"list_contains(tags, '{t}')",
                     lambda p: f"starts_with(url, '{p}')")
        return median_us(lambda: self.db.execute(f"select count(*) from {self.source} where {where}").fetchone()[0])


def machine(rvf):
    flags, model = "", "unknown"
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
        if line.startswith("flags"):
            flags = line
    isa = os.environ.get("RVF_SIMD") or ("avx512" if "avx512bw" in flags else "avx2" if "avx2" in flags else "scalar")
    root = pathlib.Path(__file__).resolve().parents[1]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True).stdout.strip()
    import duckdb
    import pyarrow
    return {"machine": model, "cores": os.cpu_count(), "isa": isa, "commit": commit, "system": platform.platform(),
            "versions": {"rvf": subprocess.run([rvf, "--version"], capture_output=True, text=True).stdout.strip(),
                         "pyarrow": pyarrow.__version__, "duckdb": duckdb.__version__, "sqlite": sqlite3.sqlite_version},
            "command": " ".join([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]])}


def run(args, folder):
    import pyarrow.parquet as pq
    rows = Rows(args.rows)
    np.save(folder / "v.npy", rows.vectors)
    rows.jsonl(folder / "rows.jsonl")
    table = rows.table()
    parquet = {}
    for compression in ("zstd", "snappy"):
        parquet[compression] = folder / f"{compression}.parquet"
        pq.write_table(table, parquet[compression], compression=compression)
    say = lambda what: print(what, file=sys.stderr, flush=True)
    say("rows made; filling the stores")
    plain, indexed = (Store(args.rvf, folder, rows, i) for i in (False, True))
    say("filling SQLite and DuckDB")
    engines = {"rvf indexed": indexed, "rvf plain": plain, "sqlite indexed": Sqlite(folder, rows, True),
               "sqlite plain": Sqlite(folder, rows, False), "duckdb 1t": DuckDb(folder, table, 1)}
    sizes = {"rvf plain": plain.bytes, "rvf indexed": indexed.bytes, "rvf vectors": plain.total - plain.bytes,
             "parquet zstd": parquet["zstd"].stat().st_size, "parquet snappy": parquet["snappy"].stat().st_size,
             "sqlite plain": engines["sqlite plain"].bytes, "sqlite indexed": engines["sqlite indexed"].bytes,
             "duckdb": engines["duckdb 1t"].bytes, "jsonl": (folder / "rows.jsonl").stat().st_size}
    results, wrong = [], 0
    for name, ours, sql in filters(rows):
        say(f"  {name}")
        line = {"filter": ours, "name": name, "us": {}}
        for engine, e in engines.items():
            counted, us = e.count(ours, sql)
            line.setdefault("count", counted)
            line["us"][engine] = round(us, 1)
            if counted != line["count"]:
                wrong += 1
                say(f"WRONG: {engine} counts {counted}, the others {line['count']}: {ours}")
        results.append(line)
    # One connection has one number of threads, and a file one connection: the others come after.
    engines["duckdb 1t"].db.close()
    later = {"duckdb": DuckDb(folder, table, None), "parquet 1t (duckdb)": DuckDb(folder, table, 1, parquet["zstd"]),
             "parquet (duckdb)": DuckDb(folder, table, None, parquet["zstd"])}
    for line, (name, ours, sql) in zip(results, filters(rows)):
        for engine, e in later.items():
            counted, us = e.count(ours, sql)
            line["us"][engine] = round(us, 1)
            if counted != line["count"]:
                wrong += 1
                say(f"WRONG: {engine} counts {counted}, the others {line['count']}: {ours}")
    return {**machine(args.rvf), "rows": args.rows, "load_average": os.getloadavg()[0], "bytes": sizes,
            "ingest_s": {"rvf plain": round(plain.ingest_s, 2), "rvf indexed": round(indexed.ingest_s, 2)},
            "filters": results}, wrong


def show(result):
    print(f"{result['machine']}, {result['cores']} cores, {result['isa']}, commit {result['commit']}, "
          f"{result['rows']} rows, load {result['load_average']:.1f}")
    base = result["bytes"]["parquet zstd"]
    print("\nbytes of metadata" + " " * 13 + "a row   x parquet zstd")
    for name, size in result["bytes"].items():
        print(f"  {name:<16}{size:>12} {size / result['rows']:>8.2f} {size / base:>8.2f}")
    engines = list(result["filters"][0]["us"])
    print("\nmicroseconds a count")
    print(f"{'':<22}{'matching':>9}" + "".join(f"{e.replace(' (duckdb)', '*'):>16}" for e in engines))
    for line in result["filters"]:
        share = f"{100 * line['count'] / result['rows']:.3g} %"
        print(f"{line['name']:<22}{share:>9}" + "".join(f"{line['us'][e]:>16.1f}" for e in engines))
    print("* the zstd file read by DuckDB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rvf", default=os.environ.get("RVF") or shutil.which("rvf"), help="the rvf command")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", help="where the files go (a temporary folder)")
    parser.add_argument("--out", help="write the JSON here too")
    parser.add_argument("--keep", action="store_true", help="leave the files")
    args = parser.parse_args()
    if not args.rvf:
        sys.exit("name the rvf command with --rvf")
    if args.rows < 1000:
        sys.exit("--rows must be at least 1000")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="metadata-bench-", dir=args.folder))
    try:
        result, wrong = run(args, folder)
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    show(result)
    print(json.dumps(result))
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(result, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
