#!/usr/bin/env python3
"""Brings the vectors, ids and metadata of other vector databases and libraries into an RVF store.

    rvf_import.py chroma     STORE FOLDER COLLECTION
    rvf_import.py lancedb    STORE FOLDER TABLE
    rvf_import.py faiss      STORE FILE
    rvf_import.py hnswlib    STORE FILE --metric cosine
    rvf_import.py usearch    STORE FILE
    rvf_import.py sqlite-vec STORE FILE TABLE
    rvf_import.py qdrant     STORE FILE.json
    rvf_import.py parquet    STORE FILE.parquet

The store must not exist, unless --append is given. The metric is the source's where the source knows it, else --metric
(l2 otherwise). Vectors keep every bit, except that f64 becomes f32. Field names that a store keeps for itself ("id",
"_x") get a "_" at the end; --rename chooses. What could not be kept as it was is counted on standard error. The last
line on standard output is a JSON object.

Python 3.11, numpy, the rvf command (--rvf, the variable RVF, or in PATH) and the source's own library; versions that
were tested are in tools/importers.txt.
"""
import argparse
import json
import pathlib
import sys

import rvf_pipe
import rvf_sources
from rvf_pipe import Failure


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("store", metavar="STORE", help="the store to make")
    common.add_argument("--append", action="store_true", help="add to a store that exists")
    common.add_argument("--metric", choices=["l2", "cosine", "ip", "hamming"], help="instead of what the source says")
    common.add_argument("--dtype", help="of the store: f32, f16, bf16, i8, u8 (that of the source)")
    common.add_argument("--schema", default="", metavar="SPEC",
                        help='types and indexes of fields, as for rvf ingest: "year:i64,title:string:words"')
    common.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="another name for a field")
    common.add_argument("--batch", type=int, default=10000, metavar="N", help="rows read at once (10000)")
    common.add_argument("--rvf", help="path of the rvf command")
    formats = parser.add_subparsers(dest="format", required=True, metavar="FORMAT")
    for name, source in rvf_sources.SOURCES.items():
        sub = formats.add_parser(name, parents=[common], help=source.__doc__.splitlines()[0],
                                 description=source.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        source.arguments(sub)
    return parser.parse_args()


def renames(entries):
    out = {}
    for entry in entries:
        old, equals, new = entry.partition("=")
        if not equals or not new:
            raise Failure(f"--rename {entry}: OLD=NEW is wanted")
        out[old] = new
    return out


def main():
    args = arguments()
    exists = pathlib.Path(args.store).exists()
    if exists and not args.append:
        raise Failure(f"{args.store} exists already; --append adds to it")
    if args.batch < 1:
        raise Failure("--batch must be at least 1")
    rvf = rvf_pipe.Rvf(args.rvf)
    wanted = rvf_pipe.parse_schema(args.schema) if args.schema else {}
    cleaner = rvf_pipe.Cleaner(renames(args.rename))
    source = rvf_sources.SOURCES[args.format](args, cleaner)
    metric = args.metric or source.metric
    if exists:
        have = rvf.json("status", args.store)["metric"]
        if metric and metric != have:
            raise Failure(f"the source's metric is {metric}, that of {args.store} is {have}; --metric {have} takes it in "
                          "all the same")
        create = []
    else:
        create = ["--create"]
        metric = metric or "l2"
    with rvf_pipe.working_folder(args.store) as folder:
        ingest = rvf_pipe.Ingest(rvf, args.store, folder, cleaner)
        for vectors, ids, rows in source.batches(args.batch):
            ingest.add(vectors, ids, rows)
        schema = {cleaner.name(n): f for n, f in source.schema.items()} | wanted
        summary = ingest.finish(None if exists else metric, None if exists else args.dtype or source.dtype, schema, create)
    for old, new in cleaner.renamed().items():
        print(f"note: the field {old!r} is {new!r} in the store", file=sys.stderr)
    for what in source.notes:
        print(f"note: {what}", file=sys.stderr)
    for what, n in cleaner.lost.items():
        print(f"note: {n} {what}", file=sys.stderr)
    print(json.dumps({"format": args.format, "store": args.store, "vectors": ingest.npy.rows, "dim": ingest.npy.dim,
                      "metric": metric, "ingest": summary}))
    return 0


if __name__ == "__main__":
    rvf_pipe.main_wrapper(main)
