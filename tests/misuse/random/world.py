"""The model's side of a history: the store, its bookmarks, and what a command must answer."""
import filters
import ingest
import model
from answers import (Wrong, counts_by, good_epochs, good_query, good_scan, good_status, lines_are, no_more)
from columns import Refused
from model import Store


class World:
    def __init__(self):
        self.store = None
        self.killed = False  # whether a writer was, which may leave an unfinished write
        self.bookmarks = []  # (epoch, what the store was)

    def apply(self, op):
        """Changes the model as the command must change the store. Yields a function that looks at its output, or
        raises Refused."""
        if op["do"] not in ("ingest", "create", "misuse") and self.store is None:
            raise Refused("no such store")
        before = self.store
        if before is not None and op["do"] != "ingest":
            self.store = before.copy()
        try:
            return getattr(self, op["do"])(op)
        except Refused:
            if op["do"] != "ingest":
                self.store = before
            raise

    def misuse(self, op):
        raise Refused("it cannot be meant")

    def create(self, op):
        if self.store is not None:
            raise Refused("it is there")
        self.store = Store(op["dim"], op["metric"], op["dtype"], op["kind"])
        return no_more

    def states(self, op):
        """What the store is before an ingest and after each of its batches."""
        run = ingest.Ingest(self, op)
        try:
            run.run()
        except Refused:
            pass
        return run.states

    def ingest(self, op):
        run = ingest.Ingest(self, op).run()

        def check(lines):
            *acknowledged, last = lines
            if op["argv"].count("none") == 0 and [a.get("acknowledged") for a in acknowledged] != run.acknowledged:
                raise Wrong(f"acknowledged {acknowledged}, expected {run.acknowledged}")
            wanted = {"added": run.added, "replaced": run.replaced}
            if op["on_duplicate"] == "keep":
                wanted["kept"] = run.kept
            wanted["vectors"] = len(self.store.live())
            lines_are([{k: last.get(k) for k in wanted}], [wanted])
        return check

    def delete(self, op):
        store = self.store
        if op.get("filter"):
            filters.check(op["filter"], store)
            live = store.ids()
            ids = [i for i in live if filters.matches(op["filter"], store, i)]
        elif op.get("listed"):
            if op["listed"].broken:
                raise Refused("no ids in it")
            ids = op["listed"].id_reader(store.kind).take([r[0] for r in op["listed"].rows], op["listed"].written)
            # Where no ids are yet any kind is right, and nothing is found.
        else:
            ids = []
            for part in op["ids"]:
                first, dash, last = part.partition("-")
                if store.kind == "text" or not dash:
                    ids.append(store.id_of(part))
                    continue
                first, last = store.id_of(first), store.id_of(last)
                if last < first:
                    raise Refused("it ends before it begins")
                ids += [i for i in store.ids() if first <= i <= last and i not in ids]
        missing = len(set(ids) - store.live().keys())
        deleted = store.delete(ids)

        def check(lines):
            wanted = {"deleted": deleted, "not_found": missing}
            lines_are([{k: line.get(k) for k in wanted} for line in lines], [wanted])
        return check

    def update(self, op):
        if op["source"].broken:
            raise Refused("broken rows")
        updated = model.update(self.store, op["source"].rows, op["schema"], op["clear"], op["source"].written)
        return lambda lines: lines_are(lines, [{"updated": updated}])

    def set_schema(self, op):
        self.store.declare(op["schema"])
        return self.check_schema(op)

    def check_schema(self, op):
        fields = dict(self.store.schema)

        def check(lines):
            got = {f["name"]: f["type"] for f in lines[0]["fields"]}
            fields.pop("_expires", None)
            lines_are([got], [fields])
        return check

    def upkeep(self, op):
        return lambda lines: None

    # ---- reading

    def selected(self, op):
        store = self.store
        if op["filter"] is None:
            return store.ids()
        filters.check(op["filter"], store)
        return [i for i in store.ids() if filters.matches(op["filter"], store, i)]

    def known(self, columns):
        for name in columns:
            if name != "*" and (name not in self.store.schema):
                raise Refused(f"there is no field {name}")

    def get(self, op):
        store = self.store
        ids = [store.id_of(i) for i in op["ids"]]
        live = store.live()
        wanted = [{"id": i, "vector": list(live[i].vector), **store.shown(i)} for i in ids if i in live]

        def check(lines):
            lines_are(lines, wanted, vectors=True)
        if any(i not in live for i in ids):
            raise Partly(check)
        return check

    def count(self, op):
        n = len(self.selected(op))
        return lambda lines: lines_are(lines, [{"count": n}])

    def count_by(self, op):
        self.known([op["by"]])
        ids = self.selected(op)
        return lambda lines: counts_by(lines, self.store, op["by"], ids)

    def scan(self, op):
        ids = self.selected(op)
        self.known(op["columns"])
        return lambda lines: good_scan(lines, self.store, ids, op)

    def query(self, op):
        store = self.store
        if op["like"] is not None:
            i = store.id_of(op["like"])
            if i not in store.live():
                raise Refused("no such id")
            vectors = [list(store.rows[i].vector)]
        else:
            vectors = op["vectors"]
        if any(len(v) != store.dim for v in vectors):
            raise Refused("another dimension")
        if op["group_by"]:
            self.known([op["group_by"]])
        self.known(op["columns"])
        ids = self.selected(op)
        return lambda lines: good_query(lines, store, vectors, ids, op)

    def verify(self, op):
        return lambda lines: lines_are([{"ok": lines[0]["ok"], "problems": lines[0]["problems"]}], [{"ok": True, "problems": []}])

    def status(self, op):
        return lambda lines: good_status(lines, self.store, self.killed)

    def inspect(self, op):
        return good_epochs

    def rolled_back(self, old):
        """An earlier commit is the newest state; ids are counted on from the highest that ever was."""
        store = old.copy()
        store.next_id = max(store.next_id, self.store.next_id)
        self.store = store


class Partly(Refused):
    """Refused, but with some answers."""

    def __init__(self, check):
        super().__init__("some are not there")
        self.check = check
