"""Commands that cannot be meant: misspelt, contradicting, with broken or missing inputs. All end with 1 and change nothing."""

GOOD_ROW = b'{"id":3,"vector":[1,2]}\n'

# Without what is wrong they would be good, on a store that is there.
CONTRADICTIONS = [
    ["query", "--vector=1", "--like=1"], ["query", "--vector=1", "--queries", "in.jsonl"],
    ["query", "--vector=1", "--within=1", "-k", "3"], ["query", "--vector=1", "--within=1", "--max-distance=2"],
    ["query", "--vector=1", "--exact", "--ef", "10"], ["query", "--vector=1", "--group-size", "2"],
    ["query", "--vector=1", "--recall", "0.9", "--ef", "10"], ["query", "--vector=1", "-k", "0"], ["query", "--vector=1", "-k", "-1"],
    ["query", "--vector=1", "-k", "x"], ["query"], ["query", "--vector="], ["query", "--vector=1,"], ["query", "--vector=x"],
    ["query", "--vector=nan"], ["query", "--vector=1", "--recall", "2"], ["query", "--vector=1", "--strategy", "pre"],
    ["query", "--vector=1", "--filter="], ["query", "--vector-field", "v", "--vector=1"],
    ["count", "--repeat", "3", "--by", "n"], ["count", "--limit", "3"], ["count", "--repeat", "0"], ["count", "--filter=n ="],
    ["count", "--filter=(id = 1"], ["count", "--filter=id ="], ["count", "--filter={"], ["count", '--filter={"id":{"$x":1}}'],
    ["count", "--filter=id = 1 id = 2"], ["count", "--filter-file", "missing"],
    ["count", "--filter=id is null", "--filter-file", "in.jsonl"], ["count", "--filter-file", "blank"],
    ["scan", "--limit", "0"], ["scan", "--after", "x"], ["scan", "--after", "-1"], ["scan", "--columns", "no such"],
    ["scan", "--limit", "1e3"],
    ["delete"], ["delete", "--ids=1", "--filter=id is null"], ["delete", "--ids=1", "--ids-file", "in.jsonl"], ["delete", "--filter="],
    ["delete", "--filter= "], ["delete", "--filter={}"], ["delete", "--filter={ }"], ["delete", "--ids="],
    ["delete", "--ids-file", "missing"], ["delete", "--ids-file", "in.jsonl"], ["delete", "--ids-file", "blank"],
    ["delete", "--filter-file", "blank"],
    ["update"], ["update", "--meta", "missing"], ["update", "--meta", "blank"], ["update", "--meta", "folder"],
    ["update", "--meta", "noids.jsonl"], ["update", "--meta", "noids.csv"], ["update", "--meta", "in.jsonl", "--schema", "n"],
    ["update", "--meta", "in.jsonl", "--schema", "n:what"], ["update", "--meta", "in.jsonl", "--schema", "n:i64,n:i64"],
    ["schema", "--set", "id:i64"], ["schema", "--set", "vector:string"], ["schema", "--set", "_x:i64"], ["schema", "--set", "x:i64:words"],
    ["schema", "--set", "missing.json"], ["schema", "--set", ":i64"], ["schema", "--set", "a:"], ["schema", "--set", "{"],
    ["export", "-", "--json"], ["export", "STORE"], ["export", "out.parquet"], ["export", "out.npy", "--meta", "out.npy"],
    ["export", "no/such/out.npy"], ["export", "folder"], ["export", "out.npy", "--format", "csv"],
    ["export", "out.npy", "--columns", "no such"], ["export", "out.npy", "--filter=nope = 1"], ["export"],
    ["inspect", "--epochs", "--segments"], ["inspect", "--manifest", "--segments"],
    ["rollback"], ["rollback", "--epoch", "4000000000"], ["rollback", "--epoch", "-1"], ["rollback", "--epoch", "x"],
    ["compact", "--hot", "0.5"], ["compact", "--tiers", "--storage", "int8"], ["compact", "--tiers", "--hot", "0.9", "--warm", "0.9"],
    ["compact", "--search-layout", "round"], ["compact", "--cold-shard"],
    ["index", "--threads", "0"],
    ["get"], ["get", "--", ""],
    ["create"], ["create", "--dim", "0"], ["create", "--dim", "65536"], ["create", "--dim", "x"],
    ["create", "--dim", "2", "--metric", "L3"], ["create", "--dim", "2", "--dtype", "f64"],
    ["create", "--dim", "2", "--metric", "hamming"], ["create", "--dim", "2", "--id-type", "uuid"], ["create", "--dim", "-1"],
    ["create", "--dim", "2", "--graph-m", "3"],
    ["ingest"], ["ingest", "missing", "--create"], ["ingest", "folder", "--create"], ["ingest", "blank", "--create"],
    ["ingest", "empty", "--create"], ["ingest", "noise", "--create"], ["ingest", "in.jsonl", "in.jsonl", "--create"],
    ["ingest", "in.jsonl", "./in.jsonl", "--create"], ["ingest", "-", "-", "--create"], ["ingest", "-", "--meta", "-", "--create"],
    ["ingest", "in.jsonl", "--create", "--batch", "0"], ["ingest", "in.jsonl", "--create", "--batch", "-1"],
    ["ingest", "in.jsonl", "--create", "--batch", "1.5"], ["ingest", "in.jsonl", "--create", "--ids", "missing"],
    ["ingest", "in.jsonl", "--create", "--meta", "missing"], ["ingest", "in.jsonl", "--create", "--ids", "i.txt", "--id-column", "id"],
    ["ingest", "in.jsonl", "--create", "--schema", "n:nonsense"], ["ingest", "in.jsonl", "--create", "--schema="],
    ["ingest", "in.jsonl", "--create", "--on-duplicate", "skip"], ["ingest", "in.jsonl", "--create", "--durability", "maybe"],
    ["ingest", "in.jsonl", "--create", "--vector-field", "nope"], ["ingest", "in.jsonl", "--create", "--id-column", "nope"],
    ["ingest", "in.jsonl", "--create", "--metric", "cos"], ["ingest", "in.jsonl", "--create", "--io-budget", "-1"],
    ["ingest", "STORE", "--create"], ["ingest", "twice.jsonl", "--create"], ["ingest", "two.jsonl", "--create"],
    ["ingest", "text.jsonl", "--create"], ["ingest", "nul.jsonl", "--create"], ["ingest", "utf8.jsonl", "--create"],
    ["ingest", "surrogate.jsonl", "--create"], ["ingest", "deep.jsonl", "--create"], ["ingest", "comma.csv", "--create"],
    ["ingest", "names.csv", "--create"], ["ingest", "header.csv", "--create"],
    ["verify", "--json", "--json=x"],
    ["nonsense"],
    ["staus"],
    ["status", "more"],
]
INPUTS = {
    "in.jsonl": GOOD_ROW, "blank": b' \n\t\n', "empty": b'', "noise": bytes(range(128, 256)), "noids.jsonl": b'{"n":1}\n',
    "noids.csv": b'n\n1\n', "i.txt": b'1\n', "twice.jsonl": b'{"id":1,"id":2,"vector":[1]}\n',
    "two.jsonl": b'{"vector":[1],"embedding":[2]}\n', "text.jsonl": b'{"vector":"[1,2]"}\n', "nul.jsonl": b'{"vector":[1]}\x00\n',
    "utf8.jsonl": b'{"vector":[1],"s":"\xff"}\n', "surrogate.jsonl": b'{"vector":[1],"s":"\\ud800"}\n',
    "deep.jsonl": b'{"vector":' + b"[" * 2000 + b"]" * 2000 + b"}\n", "comma.csv": b'v0;v1\n1,5;2,5\n', "names.csv": b'v0,v0\n1,2\n',
    "header.csv": b'v0,v1\n',
}
TYPOS = {
    "ingest": ["in.jsonl", "--create"], "query": ["--vector=1"], "get": ["1"], "delete": ["--ids=1"], "export": ["-"], "count": [],
    "scan": [], "update": ["--meta", "in.jsonl"], "status": [], "inspect": [], "verify": [], "index": [], "compact": [],
    "rollback": ["--epoch", "1"], "create": ["--dim", "2"],
}
OPTIONS = [
    "--jsn", "--quite", "--metrics", "--batchsize", "-K", "--exct", "--columms", "--dimension", "--Filter", "--meta-file", "--no-such=1",
    "-z", "--limt", "--no_index",
]


def make(grammar):
    rng = grammar.rng
    if rng.random() < 0.2:
        command = rng.choice(sorted(TYPOS))
        arguments = [*TYPOS[command], *rng.choice([[rng.choice(OPTIONS)], [rng.choice(OPTIONS), "1"]])]
    else:
        command, *arguments = rng.choice(CONTRADICTIONS)
    used = {a.removeprefix("./") for a in arguments}
    argv = [command, *([] if command == "nonsense" and rng.random() < 0.5 else ["STORE"]), *arguments]
    return {"do": "misuse", "argv": argv, "folder": "folder" in used, "stdin": GOOD_ROW if "-" in arguments else None,
            "inputs": {n: c for n, c in INPUTS.items() if n in used}}
