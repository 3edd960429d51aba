"""Requests to an OpenSearch cluster, against answers in the shapes that its documentation gives.

No cluster runs here: a server on the loopback answers what each test lays down, in order, and keeps
what it was asked. `test_store_contract.py` runs on a real one, named by DOCQA_OPENSEARCH.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest
from opensearch_server import Answer, Asked, serving

from docqa.errors import CollectionError, MissingDependencyError
from docqa.index.store import Labels, Query, StoredDocument, StoredPassage, Where

pytest.importorskip("opensearchpy", reason="opensearch-py is not installed")

from docqa.index.encodable import encodable
from docqa.index.opensearch.address import parse_address
from docqa.index.opensearch.head import Head
from docqa.index.opensearch.queries import filtered, leftovers, ranked
from docqa.index.opensearch.records import (
    index_body,
    records,
    stored_document,
    stored_passage,
    unpacked,
)
from docqa.index.opensearch.store import GIVEN_UP_AFTER_S, OpenSearchStore

HEAD = "/kb-state/_doc/head"
SHARDS = {"total": 2, "successful": 2, "failed": 0}
DONE = {"_index": "kb-state", "_id": "head", "result": "updated", "_shards": SHARDS}
CONFLICT = {
    "error": {
        "root_cause": [{"type": "version_conflict_engine_exception", "reason": "[head]: conflict"}],
        "type": "version_conflict_engine_exception",
        "reason": "[head]: conflict",
    },
    "status": 409,
}
DELETED = {"took": 9, "timed_out": False, "deleted": 3, "version_conflicts": 0, "failures": []}
DOCUMENT = StoredDocument(
    key="/a/b c.pdf",
    generation="0" * 31 + "1",
    labels=Labels("ab", ("/", "/a"), "application/pdf", "Mill", 5, {"year": "2024"}),
    names=("b", "c"),
    facts='{"pages": 3}',
    body=b"body\0",
    passages=(StoredPassage(0, ("oil", "lamp", "oil"), b"one\0"), StoredPassage(1, (), b"", True)),
)


@dataclass
class Cluster:
    """Answer requests as a test lays down, each path's answers in order, the last one for good.

    An answer is a status with JSON; None breaks the connection off.
    """

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self.answers[method, path] = list(answers)

    def answer(self, request: Asked) -> Answer:
        self.asked.append(request)
        laid_down = self.answers.get((request.method, request.path))
        if not laid_down:
            return 400, {"error": f"not laid down: {request.method} {request.path}", "status": 400}
        return laid_down.pop(0) if len(laid_down) > 1 else laid_down[0]

    def of(self, method: str, path: str) -> list[Asked]:
        """Return the requests of a kind, in order."""
        return [each for each in self.asked if (each.method, each.path) == (method, path)]

    def store(self, scheme: str = "opensearch", who: str = "") -> OpenSearchStore:
        return OpenSearchStore(f"{scheme}://{who}127.0.0.1:{self.port}/kb")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Return a cluster that says it is of version 3 and breaks no connection by itself."""
    cluster = Cluster()
    cluster.on("GET", "/", (200, {"version": {"distribution": "opensearch", "number": "3.1.0"}}))
    with serving(cluster) as cluster.port:
        yield cluster


def kept(head: Head, version: int = 7) -> tuple[int, Any]:
    """Return the answer to a reading of the head."""
    found = {"_index": "kb-state", "_id": "head", "_version": 1, "found": True}
    return 200, {**found, "_seq_no": version, "_primary_term": 1, "_source": head.to_source()}


def found(*hits: dict[str, Any], **more: Any) -> tuple[int, Any]:
    """Return the answer to a search."""
    total = {"value": len(hits), "relation": "eq"}
    answer = {"took": 1, "timed_out": False, "_shards": SHARDS, "pit_id": "point-2"}
    return 200, {**answer, "hits": {"total": total, "hits": list(hits)}, **more}


def bulk_answer(asked: Asked) -> dict[str, Any]:
    """Return the answer to a bulk request of which every item is taken."""
    ids = [line["index"]["_id"] for line in asked.body[::2]]
    items = [{"index": {"_index": "kb-1", "_id": each, "status": 201}} for each in ids]
    return {"took": 1, "errors": False, "items": items}


def readable(cluster: Cluster) -> None:
    """Let a snapshot be taken."""
    cluster.on("GET", HEAD, kept(Head("kb-1", n_commits=1, next_number=2)))
    point = {"pit_id": "point-1", "_shards": SHARDS, "creation_time": 1658146050064}
    cluster.on("POST", "/kb-1/_search/point_in_time", (200, point))


def writable(cluster: Cluster, *later: tuple[int, Any], replaced: str = "old") -> None:
    """Let a document be written and committed; `later` are the heads from the commit on."""
    begun = Head("kb-1").begun(0)
    heads = later or (kept(begun, 8), kept(begun.committed(1, (replaced,)), 9))
    cluster.on("GET", HEAD, kept(Head("kb-1")), kept(Head("kb-1")), *heads)
    cluster.on("PUT", HEAD, (200, DONE))
    cluster.on("POST", "/_bulk", (200, bulk_answer))
    cluster.on("POST", "/kb-1/_refresh", (200, {"_shards": SHARDS}))
    cluster.on("POST", "/kb-1/_search", found({"_source": {"edition": replaced}}))
    cluster.on("POST", "/kb-1/_delete_by_query", (200, DELETED))


def write(store: OpenSearchStore, document: StoredDocument = DOCUMENT) -> None:
    with store.writer() as writer:
        writer.replace(document)
        writer.commit()


ODD = "/b\udcfcro/caf\udce9.txt"  # how Python gives the name of a file that is no UTF-8


class TestAddress:
    """Where a collection is, and what may be shown of it."""

    def test_password_is_shown_nowhere(self) -> None:
        """It is read, also with signs that addresses quote, and stays in the client."""
        address = parse_address("opensearch+https://ada:s%40cret@host/kb?shards=3&replicas=0", {})
        assert (address.user, address.password, address.tls) == ("ada", "s@cret", True)
        assert (address.shards, address.replicas, address.port) == (3, 0, 9200)
        assert "cret" not in f"{address} {address!r}"

    def test_environment_says_who(self) -> None:
        """What the address leaves out comes from the environment; without a user, nobody."""
        environment = {"OPENSEARCH_USER": "ada", "OPENSEARCH_PASSWORD": "pw"}
        address = parse_address("opensearch+https://host:443/kb", environment)
        assert (address.user, address.password, address.port) == ("ada", "pw", 443)
        assert parse_address("opensearch://bob@host/kb", environment).password == "pw"
        assert parse_address("opensearch://host/kb", {"OPENSEARCH_PASSWORD": "pw"}).password is None

    @pytest.mark.parametrize(
        "address",
        [
            "opensearch://u:hidden@host",
            "opensearch://u:hidden@host/Upper",
            "opensearch://u:hidden@host/a/b",
            "opensearch://u:hidden@host:port/kb",
            "opensearch://u:hidden@host/kb?shards=0",
            "opensearch://u:hidden@host/kb?copies=2",
            "https://u:hidden@host/kb",
            "opensearch://u:12/hidden@host/kb",
            "opensearch://u:12?hidden@host/kb",
            "opensearch://u:12#hidden@host/kb",
            "opensearch:///kb",
        ],
    )
    def test_broken_address_is_told(self, address: str) -> None:
        """The message says what an address looks like, and no password."""
        with pytest.raises(CollectionError) as caught:
            parse_address(address, {})
        assert "hidden" not in "".join(traceback.format_exception(caught.value))

    def test_missing_library_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The message has the command that installs it."""
        monkeypatch.setitem(sys.modules, "opensearchpy", None)
        with pytest.raises(MissingDependencyError, match=r"docqa-exact\[opensearch\]"):
            OpenSearchStore("opensearch://host/kb")


class TestErrors:
    """What the cluster refuses comes as a `CollectionError` that says what to do."""

    def test_unreachable(self) -> None:
        """The message names the address without the password."""
        store = OpenSearchStore("opensearch://ada:hidden@127.0.0.1:9/kb")
        with pytest.raises(CollectionError, match=r"0\.1:9/kb failed: it cannot be reached"):
            store.exists()

    def test_refused_user(self, cluster: Cluster) -> None:
        """User and password are sent, and what to set is said."""
        cluster.on("GET", HEAD, (401, {"error": "Unauthorized", "status": 401}))
        with pytest.raises(CollectionError, match="OPENSEARCH_PASSWORD") as caught:
            cluster.store(who="ada:hidden@").exists()
        assert "hidden" not in str(caught.value)
        assert cluster.asked[0].headers["authorization"] == "Basic YWRhOmhpZGRlbg=="

    def test_no_collection(self, cluster: Cluster) -> None:
        """Neither an index that is missing nor a head that is missing is a collection."""
        missing = {"error": {"type": "index_not_found_exception"}, "status": 404}
        cluster.on("GET", HEAD, (404, missing), (404, {"_id": "head", "found": False}))
        assert not cluster.store().exists()
        with pytest.raises(CollectionError, match=r"no collection at opensearch://.*/kb"):
            cluster.store().snapshot()

    def test_other_format(self, cluster: Cluster) -> None:
        """What another version wrote is left alone."""
        source = {**Head("kb-1").to_source(), "format": 99}
        cluster.on("GET", HEAD, (200, {"found": True, "_source": source}))
        with pytest.raises(CollectionError, match="format 99"):
            cluster.store().snapshot()


class TestRecords:
    """What stands in the cluster."""

    def test_index_keeps_terms_as_they_are(self) -> None:
        """Terms are split at spaces alone, counted with their frequency, with length norms."""
        body = index_body(3, 0)
        settings, fields = body["settings"]["index"], body["mappings"]["properties"]
        assert (settings["number_of_shards"], settings["number_of_replicas"]) == (3, 0)
        assert settings["analysis"]["tokenizer"]["spaces"]["type"] == "whitespace"
        assert fields["text"] == fields["names"]
        assert fields["text"]["index_options"] == "freqs"
        assert "norms" not in fields["text"]

    def test_document_comes_back(self) -> None:
        """From the records, through JSON: labels, terms in order, flags and bodies."""
        sources = json.loads(json.dumps(list(records(DOCUMENT, "e1", 4))))
        assert [each["_id"] for each in sources] == ["e1-0", "e1-1", "e1-body", "e1"]
        passages = [stored_passage(each) for each in sources if each["kind"] == "passage"]
        body = unpacked(sources[2]["kept"]["body"])
        assert stored_document(sources[3], body, passages) == DOCUMENT

    def test_texts_without_an_encoding_come_back(self) -> None:
        """Half of a surrogate pair, as in names of files, is no UTF-8: records can be sent."""
        labels = Labels("ab", ("/", "/b\udcfcro"), "t", "Rep\ud800rt", 5, {"\udce9": "\ud800"})
        odd = replace(DOCUMENT, key=ODD, labels=labels, facts='"\udce9"')
        text = json.dumps(list(records(odd, "e1", 4)), ensure_ascii=False)
        sources = json.loads(text.encode("utf-8"))
        passages = [stored_passage(each) for each in sources if each["kind"] == "passage"]
        body = unpacked(sources[2]["kept"]["body"])
        assert stored_document(sources[3], body, passages) == odd

    def test_every_field_is_mapped(self) -> None:
        """The mapping is strict: a field that it lacks would be refused."""
        fields = set(index_body(1, None)["mappings"]["properties"])
        for each in records(DOCUMENT, "e1", 4):
            assert set(each) - {"_id"} <= fields

    def test_passage_without_terms_counts(self) -> None:
        """It has a term that no query asks for, since Lucene counts only what has one."""
        (empty,) = [each for each in records(DOCUMENT, "e1", 4) if each["_id"] == "e1-1"]
        assert len(empty["text"]) == 1
        assert not empty["text"].isalnum()


class TestQueries:
    """What is asked for."""

    HEAD = Head("kb-1", next_number=9, open={8: 0}, given_up=(3,), dead=("ab",))

    def test_only_what_is_committed_is_seen(self) -> None:
        """Commits under way, given up or to come are left out, and dead editions."""
        assert filtered(self.HEAD, "document")["bool"] == {
            "filter": [{"term": {"kind": "document"}}, {"range": {"commit": {"lt": 9}}}],
            "must_not": [{"terms": {"commit": [3, 8]}}, {"terms": {"edition": ["ab"]}}],
        }

    def test_terms_and_names_are_scored(self) -> None:
        """Each term once, boosted by how often it is there; names by their weight."""
        query = Query(["oil", "lamp", "oil"], 5, name_weight=0.5)
        body = ranked(self.HEAD, query, 2.2)["bool"]
        boosts = {
            (name, clause["value"]): clause["boost"]
            for each in body["should"]
            for name, clause in each["term"].items()
        }
        own = {("text", "oil"): 4.4, ("text", "lamp"): 2.2}
        assert boosts == {**own, ("names", "oil"): 2.2, ("names", "lamp"): 1.1}
        assert body["minimum_should_match"] == 1

    def test_names_without_weight_are_not_asked_for(self) -> None:
        """Otherwise passages would be found with a score of 0."""
        clauses = ranked(self.HEAD, Query(["oil"], 5), 1.0)["bool"]["should"]
        assert clauses == [{"term": {"text": {"value": "oil", "boost": 1.0}}}]

    def test_where_is_filters(self) -> None:
        """Every condition that is given is one, and an empty title is a condition."""
        where = Where(("/a",), "/f", "text/html", "", 0, 9, {"year": "2024"})
        assert filtered(Head("kb-1"), "passage", where=where)["bool"]["filter"][2:] == [
            {"terms": {"key": ["/a"]}},
            {"term": {"folders": "/f"}},
            {"term": {"media_type": "text/html"}},
            {"term": {"title": ""}},
            {"range": {"date": {"gte": 0, "lt": 9}}},
            {"term": {"metadata": '["year", "2024"]'}},
        ]

    def test_texts_without_an_encoding_are_asked_for(self) -> None:
        """Filters name what records hold."""
        labels = Labels("ab", ("/b\udcfcro",), "t", "Rep\ud800rt", 5, {"\udce9": "\ud800"})
        record = next(records(replace(DOCUMENT, key=ODD, labels=labels), "e1", 4))
        where = Where((ODD,), "/b\udcfcro", None, "Rep\ud800rt", metadata={"\udce9": "\ud800"})
        keys, folder, title, entry = filtered(Head("kb-1"), "passage", where=where)["bool"][
            "filter"
        ][2:]
        assert keys == {"terms": {"key": [record["key"]]}}
        assert folder == {"term": {"folders": record["folders"][0]}}
        assert title == {"term": {"title": record["title"]}}
        assert entry == {"term": {"metadata": record["metadata"][0]}}

    def test_only_what_nobody_sees_is_deleted(self) -> None:
        """Dead editions and commits given up; never what is under way."""
        assert leftovers(self.HEAD)["bool"]["should"] == [
            {"terms": {"edition": ["ab"]}},
            {"terms": {"commit": [3]}},
        ]


class TestReading:
    """Snapshots: a head, and a point in time that has all of it."""

    HIT: ClassVar[dict[str, Any]] = {
        "_id": "e1-1",
        "_score": 1.5,
        "_source": {
            "key": "/a",
            "generation": "g1",
            "number": 1,
            "kept": {"body": "YWI=", "boilerplate": False},
        },
    }

    @pytest.mark.parametrize(("version", "factor"), [("3.1.0", 2.2), ("2.19.0", 1), ("7.10.2", 1)])
    def test_search(self, cluster: Cluster, version: str, factor: float) -> None:
        """Statistics of all shards, no partial answers, and scores on docqa's scale."""
        readable(cluster)
        cluster.on("GET", "/", (200, {"version": {"number": version}}))
        cluster.on("POST", "/_search", found(self.HIT))
        (hit,) = cluster.store().snapshot().search(Query(["oil"], 5))
        assert (hit.key, hit.generation, hit.number, hit.score) == ("/a", "g1", 1, 1.5)
        assert hit.body == b"ab"
        (asked,) = cluster.of("POST", "/_search")
        assert asked.params["search_type"] == "dfs_query_then_fetch"
        assert asked.params["allow_partial_search_results"] == "false"
        assert asked.body["pit"] == {"id": "point-1", "keep_alive": "5m"}
        assert asked.body["query"]["bool"]["should"][0]["term"]["text"]["boost"] == factor

    def test_flagged_passage_counts_less(self, cluster: Cluster) -> None:
        """Weighed here, since the cluster knows nothing of it."""
        readable(cluster)
        source = {**self.HIT["_source"], "kept": {"body": "", "boilerplate": True}}
        cluster.on("POST", "/_search", found({**self.HIT, "_source": source}))
        (hit,) = cluster.store().snapshot().search(Query(["oil"], 5, boilerplate_weight=0.1))
        assert hit.score == pytest.approx(0.15)

    def test_lists_go_page_by_page(self, cluster: Cluster) -> None:
        """Every page begins after the last key of the one before, in the same point in time."""
        readable(cluster)
        keys = [f"/{number:03}" for number in range(501)]
        hits = [
            {"sort": [key], "_source": {"key": key, "generation": "g", "kept": {"facts": "{}"}}}
            for key in keys
        ]
        cluster.on("POST", "/_search", found(*hits[:500]), found(*hits[500:]))
        assert [each.key for each in cluster.store().snapshot().documents()] == keys
        first, second = cluster.of("POST", "/_search")
        assert "search_after" not in first.body
        assert second.body["search_after"] == ["/499"]
        assert second.body["pit"]["id"] == "point-2"

    def test_keys_without_an_encoding_stand_in_their_place(self, cluster: Cluster) -> None:
        """The cluster puts them first; lists and hits have them as they were, in order."""
        readable(cluster)
        source = {"generation": "g", "kept": {"facts": "{}"}}
        keys = [encodable("/b\udcfc"), encodable("/a\udce9"), "/a", "/b", "/c"]
        hits = [{"sort": [key], "_source": {**source, "key": key}} for key in keys]
        cluster.on("POST", "/_search", found(*hits))
        found_keys = [each.key for each in cluster.store().snapshot().documents()]
        assert found_keys == ["/a", "/a\udce9", "/b", "/b\udcfc", "/c"]

    def test_unchanged_state_is_held_once(self, cluster: Cluster) -> None:
        """Snapshots of one state share a point in time; closing frees it."""
        readable(cluster)
        cluster.on("DELETE", "/_search/point_in_time", (200, {"pits": []}))
        store = cluster.store()
        assert store.snapshot() is store.snapshot()
        store.close()
        assert len(cluster.of("POST", "/kb-1/_search/point_in_time")) == 1
        (freed,) = cluster.of("DELETE", "/_search/point_in_time")
        assert freed.body == {"pit_id": ["point-1"]}

    def test_commit_in_between_begins_again(self, cluster: Cluster) -> None:
        """A point made while somebody commits may lack what was deleted since: it is not used."""
        older = Head("kb-1", n_commits=1, next_number=2)
        newer = Head("kb-1", n_commits=2, next_number=3, dead=("ab",))
        readable(cluster)
        cluster.on("GET", HEAD, kept(older), kept(newer))
        cluster.on("DELETE", "/_search/point_in_time", (200, {"pits": []}))
        assert cluster.store().snapshot().head.dead == ("ab",)
        assert len(cluster.of("POST", "/kb-1/_search/point_in_time")) == 2
        assert len(cluster.of("DELETE", "/_search/point_in_time")) == 1

    def test_lost_point_is_made_again(self, cluster: Cluster) -> None:
        """A state that is still the last one goes on, however long it was not used."""
        readable(cluster)
        lost = {"error": {"type": "search_context_missing_exception"}, "status": 404}
        cluster.on("POST", "/_search", (404, lost), found(self.HIT))
        assert len(cluster.store().snapshot().search(Query(["oil"], 5))) == 1

    def test_lost_point_of_an_older_state_is_told(self, cluster: Cluster) -> None:
        """Another state is never read in its place."""
        readable(cluster)
        snapshot = cluster.store().snapshot()
        cluster.on("GET", HEAD, kept(Head("kb-1", n_commits=2, next_number=3)))
        lost = {"error": {"type": "search_context_missing_exception"}, "status": 404}
        cluster.on("POST", "/_search", (404, lost))
        with pytest.raises(CollectionError, match="read it anew"):
            snapshot.search(Query(["oil"], 5))


class TestWriting:
    """Records first, then one conditional write of the head."""

    def test_order_of_a_commit(self, cluster: Cluster) -> None:
        """Begun, written, refreshed, looked up, committed, deleted, buried: in this order."""
        begun, committed = Head("kb-1").begun(0), Head("kb-1").begun(0).committed(1, ("old",))
        writable(cluster, kept(begun, 8), kept(committed, 9))
        write(cluster.store())
        steps = [each.path for each in cluster.asked if each.method != "GET"]
        edition = steps and cluster.of("POST", "/_bulk")[0].body[1]["edition"]
        assert steps == [
            *(HEAD, "/_bulk", "/kb-1/_refresh", "/kb-1/_search", HEAD),
            *("/kb-1/_delete_by_query", HEAD),
        ]
        first, second, third = (each.body for each in cluster.of("PUT", HEAD))
        assert list(first["open"]) == ["1"]
        assert (second["open"], second["dead"], second["n_commits"]) == ({}, ["old"], 1)
        assert third["dead"] == []
        assert edition not in second["dead"]

    def test_head_is_written_over_the_one_that_was_read(self, cluster: Cluster) -> None:
        """The condition is its sequence number and primary term."""
        writable(cluster)
        write(cluster.store())
        conditions = [each.params for each in cluster.of("PUT", HEAD)]
        assert conditions[:2] == [
            {"if_seq_no": "7", "if_primary_term": "1"},
            {"if_seq_no": "8", "if_primary_term": "1"},
        ]

    def test_records_name_edition_and_commit(self, cluster: Cluster) -> None:
        """All of one writing have the same, so that the head alone says whether they are seen."""
        writable(cluster)
        write(cluster.store())
        (bulk,) = cluster.of("POST", "/_bulk")
        written = bulk.body[1::2]
        assert len(written) == 4
        assert {each["commit"] for each in written} == {1}
        assert len({each["edition"] for each in written}) == 1
        assert {line["index"]["_index"] for line in bulk.body[::2]} == {"kb-1"}

    def test_name_without_an_encoding_is_written(self, cluster: Cluster) -> None:
        """It goes through the client, is looked up by the same name, and removed by it."""
        writable(cluster)
        with cluster.store().writer() as writer:
            writer.replace(replace(DOCUMENT, key=ODD))
            writer.remove("/c\udce9")
            writer.commit()
        (bulk,), (asked,) = cluster.of("POST", "/_bulk"), cluster.of("POST", "/kb-1/_search")
        assert {each["key"] for each in bulk.body[1::2]} == {encodable(ODD)}
        (named,) = (each for each in asked.body["query"]["bool"]["filter"] if "terms" in each)
        assert named["terms"]["key"] == [encodable(ODD), encodable("/c\udce9")]

    def test_second_of_two_commits_goes_on_top(self, cluster: Cluster) -> None:
        """A conflict is read again, and what the first one replaced stays dead."""
        begun = Head("kb-1").begun(0)
        other = begun.begun(0).committed(2, ("other",))
        writable(cluster, kept(begun, 8), kept(other, 9))
        cluster.on("PUT", HEAD, (200, DONE), (409, CONFLICT), (200, DONE))
        write(cluster.store())
        last = cluster.of("PUT", HEAD)[2]
        assert last.params["if_seq_no"] == "9"
        assert (last.body["dead"], last.body["n_commits"]) == (["other", "old"], 2)

    def test_lost_answer_is_looked_up(self, cluster: Cluster) -> None:
        """Where the connection breaks, the head says whether the commit was done; not twice."""
        begun = Head("kb-1").begun(0)
        writable(cluster, kept(begun, 8), kept(begun.committed(1, ()), 9))
        cluster.on("PUT", HEAD, (200, DONE), None, (409, CONFLICT), (200, DONE))
        write(cluster.store())
        assert [each.body["n_commits"] for each in cluster.of("PUT", HEAD)] == [0, 1, 1]

    def test_unknown_end_is_told(self, cluster: Cluster) -> None:
        """Where the head cannot be read after the commit was sent, nobody knows."""
        busy = (503, {"error": "busy", "status": 503})
        writable(cluster, kept(Head("kb-1").begun(0), 8), busy)
        cluster.on("PUT", HEAD, (200, DONE), None)
        with pytest.raises(CollectionError, match="not known whether it was made"):
            write(cluster.store())

    def test_refused_record_is_told(self, cluster: Cluster) -> None:
        """The document and the cluster's reason are named; a bulk answer of 200 is no proof."""
        writable(cluster)
        error = {"type": "mapper_parsing_exception", "reason": "failed to parse"}
        item = {"index": {"_id": "x", "status": 400, "error": error}}
        cluster.on("POST", "/_bulk", (200, {"took": 1, "errors": True, "items": [item] * 4}))
        with pytest.raises(CollectionError, match=r"/a/b c\.pdf to .*400, failed to parse"):
            write(cluster.store())

    def test_document_that_failed_in_part_stays_unseen(self, cluster: Cluster) -> None:
        """A caller who goes on without it commits the others; its records are dead."""
        writable(cluster)
        error = {"type": "mapper_parsing_exception", "reason": "failed to parse"}
        item = {"index": {"_id": "x", "status": 400, "error": error}}
        refused = {"took": 1, "errors": True, "items": [item] * 4}
        cluster.on("POST", "/_bulk", (200, refused), (200, bulk_answer))
        with cluster.store().writer() as writer:
            with pytest.raises(CollectionError):
                writer.replace(DOCUMENT)
            writer.replace(replace(DOCUMENT, key="/other"))
            writer.commit()
        failed, whole = (each.body[1]["edition"] for each in cluster.of("POST", "/_bulk"))
        dead = cluster.of("PUT", HEAD)[1].body["dead"]
        assert failed in dead
        assert whole not in dead

    def test_nothing_is_committed_after_a_broken_connection(self, cluster: Cluster) -> None:
        """The cluster may carry out late what was sent, when nobody lists it as dead any more."""
        writable(cluster)
        cluster.on("POST", "/_bulk", None)
        with cluster.store().writer() as writer:
            with pytest.raises(CollectionError, match="cannot be reached"):
                writer.replace(DOCUMENT)
            writer.remove("/other")
            with pytest.raises(CollectionError, match="write them again"):
                writer.commit()
        assert all(each.body["n_commits"] == 0 for each in cluster.of("PUT", HEAD))

    def test_record_without_room_is_sent_again(
        self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only those that were rejected, after a while."""
        writable(cluster)
        monkeypatch.setattr("time.sleep", lambda _: None)
        full = {"type": "rejected_execution_exception", "reason": "queue is full"}

        def half(asked: Asked) -> dict[str, Any]:
            answer = bulk_answer(asked)
            answer["items"][1]["index"].update(status=429, error=full)
            return {**answer, "errors": True}

        cluster.on("POST", "/_bulk", (200, half), (200, bulk_answer))
        write(cluster.store())
        first, second = cluster.of("POST", "/_bulk")
        assert second.body == first.body[2:4]

    def test_refresh_that_fails_in_part_commits_nothing(self, cluster: Cluster) -> None:
        """A copy that cannot find the records yet must not be told that they are there."""
        writable(cluster)
        cluster.on("POST", "/kb-1/_refresh", (200, {"_shards": {**SHARDS, "failed": 1}}))
        with pytest.raises(CollectionError, match="1 of its shards"):
            write(cluster.store())
        assert all(each.body["n_commits"] == 0 for each in cluster.of("PUT", HEAD))

    def test_without_a_commit_the_number_is_given_up(self, cluster: Cluster) -> None:
        """What was written stays unseen, whatever comes later."""
        writable(cluster)
        with cluster.store().writer() as writer:
            writer.replace(DOCUMENT)
        last = cluster.of("PUT", HEAD)[-1].body
        assert (last["open"], last["given_up"], last["n_commits"]) == ({}, [1], 0)

    def test_commit_that_was_given_up_is_refused(self, cluster: Cluster) -> None:
        """Its records may be gone."""
        writable(cluster, kept(Head("kb-1").begun(0).without(1), 8))
        with pytest.raises(CollectionError, match="given up by compaction"):
            write(cluster.store())

    def test_removing_writes_no_records(self, cluster: Cluster) -> None:
        """The edition that the key has is dead from then on."""
        writable(cluster, kept(Head("kb-1")))
        with cluster.store().writer() as writer:
            writer.remove("/a")
            writer.commit()
        assert cluster.of("POST", "/_bulk") == []
        assert cluster.of("PUT", HEAD)[0].body["dead"] == ["old"]

    def test_only_the_last_of_a_key_stays(self, cluster: Cluster) -> None:
        """Within one commit, the edition before is dead as if it had been committed."""
        writable(cluster)
        with cluster.store().writer() as writer:
            writer.replace(DOCUMENT)
            writer.replace(DOCUMENT)
            writer.commit()
        one, two = (each.body[1]["edition"] for each in cluster.of("POST", "/_bulk"))
        dead = cluster.of("PUT", HEAD)[1].body["dead"]
        assert one in dead
        assert two not in dead

    def test_deleting_that_fails_is_left_for_later(self, cluster: Cluster) -> None:
        """The commit is done; dead editions stay named, so nobody sees them."""
        writable(cluster)
        cluster.on("POST", "/kb-1/_delete_by_query", (503, {"error": "busy", "status": 503}))
        write(cluster.store())
        assert cluster.of("PUT", HEAD)[-1].body["dead"] == ["old"]


class TestUpkeep:
    """Beginning, compacting, notes."""

    def test_create(self, cluster: Cluster) -> None:
        """The head comes last, and only if nobody else made one."""
        cluster.on("HEAD", "/kb-state", (404, {}))
        cluster.on("PUT", "/kb-state", (200, {"acknowledged": True}))
        cluster.on("GET", HEAD, (404, {"found": False}))
        cluster.on("PUT", HEAD, (201, DONE))
        store, index = cluster.store(), "/kb-"
        cluster.answers = Made(cluster.answers)
        store.create()
        made = [each for each in cluster.asked if each.method == "PUT"]
        assert [each.path.startswith(index) for each in made] == [True] * 3
        assert made[0].body["mappings"] == {"enabled": False}
        assert made[2].params == {"op_type": "create"}
        assert f"/{made[2].body['index']}" == made[1].path

    def test_create_leaves_what_is_there(self, cluster: Cluster) -> None:
        """Nothing is written where somebody has made one."""
        cluster.on("HEAD", "/kb-state", (200, {}))
        cluster.on("GET", HEAD, kept(Head("kb-1")))
        cluster.store().create()
        assert {each.method for each in cluster.asked} == {"HEAD", "GET"}

    def test_made_twice_at_once_is_made_once(self, cluster: Cluster) -> None:
        """Who comes second has the other one's, and deletes the index of its own."""
        cluster.on("HEAD", "/kb-state", (200, {}))
        cluster.on("GET", HEAD, (404, {"found": False}), kept(Head("kb-1")))
        cluster.on("PUT", HEAD, (409, CONFLICT))
        cluster.answers = Made(cluster.answers)
        cluster.store().create()
        (made,) = (
            each.path for each in cluster.asked if each.method == "PUT" and each.path != HEAD
        )
        (deleted,) = (each.path for each in cluster.asked if each.method == "DELETE")
        assert deleted == made != "/kb-1"

    def test_compact(self, cluster: Cluster) -> None:
        """Commits that never came are given up, and their records deleted with the dead."""
        now = time.time()
        head = Head("kb-1").begun(int(now) - GIVEN_UP_AFTER_S - 1).begun(int(now))
        cluster.on("GET", HEAD, kept(head))
        cluster.on("PUT", HEAD, (200, DONE))
        cluster.on("POST", "/kb-1/_refresh", (200, {"_shards": SHARDS}))
        cluster.on("POST", "/kb-1/_delete_by_query", (200, DELETED))
        cluster.on("POST", "/kb-1/_forcemerge", (200, {"_shards": SHARDS}))
        cluster.store().compact()
        (written,) = cluster.of("PUT", HEAD)
        assert (list(written.body["open"]), written.body["given_up"]) == (["2"], [1])
        (deleted,) = cluster.of("POST", "/kb-1/_delete_by_query")
        assert {"terms": {"commit": [1]}} in deleted.body["query"]["bool"]["should"]
        (merged,) = cluster.of("POST", "/kb-1/_forcemerge")
        assert merged.params == {"only_expunge_deletes": "true"}

    def test_size(self, cluster: Cluster) -> None:
        """All copies of documents and passages together."""
        cluster.on("GET", HEAD, kept(Head("kb-1")))
        stats = {"_all": {"total": {"store": {"size_in_bytes": 321}}}}
        cluster.on("GET", "/kb-1/_stats/store", (200, stats))
        assert cluster.store().size() == 321


class Made(dict[tuple[str, str], list[Answer]]):
    """Answer that an index with a random name was made or deleted."""

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        is_new = key[0] in ("PUT", "DELETE") and key not in self
        return [(200, {"acknowledged": True})] if is_new else super().get(key, default)
