"""A small cluster in memory: what docqa asks of OpenSearch, for one process and few records.

It keeps records and holds points in time; its queries are the filters and terms that docqa sends.
Its scores are boosts alone, no BM25. `test_opensearch.py` says what stands in each request; this
says that the requests together make a collection.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any

from opensearch_server import Answer, Asked

__all__ = ["MemoryCluster"]

Record = dict[str, Any]
_WHOLE = {"total": 1, "successful": 1, "failed": 0}
_PIT = "/_search/point_in_time"


class MemoryCluster:
    """Answer as a cluster would."""

    def __init__(self) -> None:
        self.indexes: dict[str, dict[str, Record]] = {}
        self.points: dict[str, dict[str, Record]] = {}
        self.address = ""
        self.headers: list[dict[str, str]] = []
        self._versions: dict[tuple[str, str], int] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def answer(self, request: Asked) -> Answer:
        """Return the answer to a request."""
        with self._lock:
            self.headers.append(request.headers)
            index, _, what = request.path[1:].partition("/")
            if not index or index.startswith("_"):
                return self._of_all(request)
            if not what:
                return self._index(request.method, index)
            if index not in self.indexes:
                return 404, {"error": {"type": "index_not_found_exception"}, "status": 404}
            if what.startswith("_doc/"):
                return self._record(request, index, what.removeprefix("_doc/"))
            return self._whole(request, index, f"/{what}")

    def _of_all(self, request: Asked) -> Answer:
        if request.path == "/_bulk":
            return 200, self._bulk(request.body)
        if request.path == "/_search":
            return self._searched(request, self.points[request.body["pit"]["id"]])
        if request.path == _PIT:
            return 200, {"pits": [self.points.pop(each) for each in request.body["pit_id"]]}
        return 200, {"version": {"number": "3.1.0"}}

    def _index(self, method: str, index: str) -> Answer:
        if method == "PUT":
            self.indexes[index] = {}
        elif method == "DELETE":
            del self.indexes[index]
        return (200 if index in self.indexes or method == "DELETE" else 404), {}

    def _record(self, request: Asked, index: str, name: str) -> Answer:
        records, now = self.indexes[index], self._versions.get((index, name))
        if request.method == "GET":
            if name not in records:
                return 404, {"_id": name, "found": False}
            return 200, {
                **{"_id": name, "found": True, "_seq_no": now, "_primary_term": 1},
                "_source": records[name],
            }
        asked = request.params.get("if_seq_no")
        is_new = request.params.get("op_type") == "create"
        if (is_new and name in records) or (asked is not None and int(asked) != now):
            return 409, {"error": {"type": "version_conflict_engine_exception"}, "status": 409}
        records[name] = request.body
        self._versions[index, name] = next(self._numbers)
        return 200, {"_id": name, "_shards": _WHOLE}

    def _bulk(self, lines: list[Record]) -> Record:
        items = []
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            (where,) = action.values()
            self.indexes[where["_index"]][where["_id"]] = source
            items.append({"index": {"_id": where["_id"], "status": 201}})
        return {"errors": False, "items": items}

    def _whole(self, request: Asked, index: str, what: str) -> Answer:
        records = self.indexes[index]
        if what == _PIT:
            point = f"point-{next(self._numbers)}"
            self.points[point] = dict(records)
            return 200, {"pit_id": point, "_shards": _WHOLE}
        if what == "/_search":
            return self._searched(request, records)
        if what == "/_delete_by_query":
            gone = [name for name, each in records.items() if _score(each, request.body["query"])]
            for name in gone:
                del records[name]
            return 200, {"failures": [], "timed_out": False, "version_conflicts": 0}
        if what == "/_stats/store":
            return 200, {"_all": {"total": {"store": {"size_in_bytes": len(str(records))}}}}
        return 200, {"_shards": _WHOLE}  # _refresh, _forcemerge

    def _searched(self, request: Asked, records: dict[str, Record]) -> Answer:
        body = request.body
        found = [
            {"_id": name, "_score": score, "_source": each}
            for name, each in records.items()
            if (score := _score(each, body["query"]))
        ]
        for hit in found:
            hit["sort"] = [hit["_source"][field] for each in body.get("sort", ()) for field in each]
        found.sort(key=lambda hit: hit["sort"] or -hit["_score"])
        after = body.get("search_after")
        hits = [hit for hit in found if after is None or hit["sort"] > after][: body["size"]]
        total = {"value": len(found), "relation": "eq"}
        return 200, {"_shards": _WHOLE, "hits": {"total": total, "hits": hits}}


def _score(record: Record, query: Record) -> float:
    """Return how well a query of docqa fits, 0 where it does not; filters give 1 alone."""
    ((kind, asked),) = query.items()
    if kind == "bool":
        if not all(_score(record, each) for each in asked.get("filter", ())):
            return 0
        if any(_score(record, each) for each in asked.get("must_not", ())):
            return 0
        should = asked.get("should")
        return 1 if should is None else sum(_score(record, each) for each in should)
    ((field, wanted),) = asked.items()
    value = record.get(field)
    if kind == "range":
        least, limit = wanted.get("gte"), wanted.get("lt")
        return float(
            value is not None
            and (least is None or value >= least)
            and (limit is None or value < limit)
        )
    if isinstance(wanted, dict):  # a scored term
        return wanted["boost"] * str(value or "").split(" ").count(wanted["value"])
    values = value if isinstance(value, list) else [value]
    return float(any(each in values for each in (wanted if kind == "terms" else [wanted])))
