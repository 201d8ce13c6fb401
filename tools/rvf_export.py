#!/usr/bin/env python3
"""Writes a store as a file of another kind.

    rvf_export.py parquet STORE OUT.parquet [--compression zstd]
    rvf_export.py npy     STORE OUT.npy [--meta ROWS.jsonl]
    rvf_export.py jsonl   STORE OUT.jsonl
    rvf_export.py fvecs   STORE OUT.fvecs

parquet: the columns id (uint64 or string), vector (a fixed_size_list of the store's element) and a typed column a field;
metric, dtype and schema stand in the file's metadata, so that rvf_import.py makes the same store of it. A row group
holds --batch rows. The other formats are those of `rvf export`.
"""
import argparse
import base64
import json
import os
import pathlib

import numpy as np

import rvf_pipe
from rvf_arrow import arrow_type
from rvf_pipe import Failure, need


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("store", metavar="STORE")
    common.add_argument("out", metavar="OUT")
    common.add_argument("--rvf", help="path of the rvf command")
    formats = parser.add_subparsers(dest="format", required=True, metavar="FORMAT")
    parquet = formats.add_parser("parquet", parents=[common], help="one typed column a field")
    parquet.add_argument("--compression", default="zstd", help="zstd, snappy, gzip, lz4 or none (zstd)")
    parquet.add_argument("--batch", type=int, default=65536, metavar="N", help="rows a row group (65536)")
    npy = formats.add_parser("npy", parents=[common], help="vectors alone, and rows of metadata beside them")
    npy.add_argument("--meta", metavar="ROWS.jsonl", help="ids and metadata, a JSON object a vector")
    formats.add_parser("jsonl", parents=[common], help="a JSON object a vector")
    formats.add_parser("fvecs", parents=[common], help="vectors alone")
    return parser.parse_args()


class ParquetExport:
    def __init__(self, rvf, args):
        self.pa = pa = need("pyarrow")
        self.parquet = need("pyarrow.parquet", "pyarrow")
        self.args = args
        self.fields = rvf_pipe.store_schema(rvf, args.store)
        status = rvf.json("status", args.store)
        self.texts = bool(rvf.json("schema", args.store).get("string_ids"))
        own = {"metric": status["metric"], "dtype": status["dtype"], "schema": self.fields}
        self.metadata = {b"rvf": json.dumps(own).encode()}
        self.types = {n: arrow_type(pa, f["type"]) for n, f in self.fields.items()}
        self.dim = status["dim"]

    def schema(self, element):
        pa = self.pa
        fields = [("id", pa.string() if self.texts else pa.uint64()),
                  ("vector", pa.list_(pa.from_numpy_dtype(element), self.dim)), *self.types.items()]
        return pa.schema(fields, metadata=self.metadata)

    def value(self, name, v):
        if v is not None and self.fields[name]["type"] == "bytes":
            return base64.b64decode(v)
        if v is not None and self.fields[name]["type"] == "timestamp":
            return np.datetime64(v.removesuffix("Z"), "ns").astype(np.int64).item()
        return v

    def column(self, name, rows):
        pa = self.pa
        values = [self.value(name, r.get(name)) for r in rows]
        if self.fields[name]["type"] == "timestamp":
            return pa.array(values, pa.int64()).cast(self.types[name])
        if self.fields[name]["type"] == "enum":
            return pa.array(values, pa.string()).dictionary_encode().cast(self.types[name])
        return pa.array(values, self.types[name])

    def run(self, rvf):
        pa = self.pa
        with rvf_pipe.working_folder(self.args.out) as folder:
            npy, jsonl = pathlib.Path(folder, "v.npy"), pathlib.Path(folder, "rows.jsonl")
            rvf("export", self.args.store, npy, "--meta", jsonl)
            vectors = np.load(npy, mmap_mode="r")
            schema = self.schema(vectors.dtype)
            part = pathlib.Path(folder, "out.parquet")
            with open(jsonl, encoding="utf-8") as lines, self.parquet.ParquetWriter(
                    part, schema, compression=self.args.compression) as writer:
                for first in range(0, len(vectors), self.args.batch):
                    block = np.ascontiguousarray(vectors[first:first + self.args.batch])
                    rows = [json.loads(next(lines)) for _ in range(len(block))]
                    ids = pa.array([r.get("id", first + i) for i, r in enumerate(rows)], schema.field("id").type)
                    flat = pa.array(block.reshape(-1))
                    columns = [ids, pa.FixedSizeListArray.from_arrays(flat, self.dim)]
                    columns += [self.column(n, rows) for n in self.fields]
                    writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=len(block))
            os.replace(part, self.args.out)
        return len(vectors)


def main():
    args = arguments()
    rvf = rvf_pipe.Rvf(args.rvf)
    if not pathlib.Path(args.store).is_file():
        raise Failure(f"{args.store}: no such store")
    if args.format == "parquet":
        if args.batch < 1:
            raise Failure("--batch must be at least 1")
        n = ParquetExport(rvf, args).run(rvf)
        print(json.dumps({"format": "parquet", "vectors": n, "bytes": os.path.getsize(args.out)}))
        return 0
    if not args.out.endswith("." + args.format):
        raise Failure(f"the name of the file must end with .{args.format}")
    extra = ["--meta", args.meta] if getattr(args, "meta", None) else []
    print(rvf("export", args.store, args.out, *extra, "--json"), end="")
    return 0


if __name__ == "__main__":
    rvf_pipe.main_wrapper(main)
