"""What every engine of a stored index promises, on each engine that is installed.

Scores are compared with `LuceneBM25` over the same terms, or with its formula over the lengths and
counts that the engine keeps; filters with `Where.holds`, contents with what was written. A new
engine needs one line in `STORES`.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from docqa.errors import CollectionError
from docqa.index.bm25 import LuceneBM25
from docqa.index.contract import (
    Labels,
    Query,
    Snapshot,
    Store,
    StoredDocument,
    StoredHit,
    StoredPassage,
    Where,
)


def lance_store(folder: Path) -> Store:
    pytest.importorskip("lancedb", reason='LanceDB is not installed: pip install "lancedb"')
    from docqa.index.lance.store import LanceStore

    return LanceStore(f"lance://{folder / 'kb'}")


def tantivy_store(folder: Path) -> Store:
    from docqa.index.tantivy.store import TantivyStore

    return TantivyStore(folder / "kb")


STORES: dict[str, Callable[[Path], Store]] = {
    "lance": lance_store,
    "tantivy": tantivy_store,
}
HOSTILE_KEYS = [
    '/a/it\'s 100% "sure".pdf',
    "/a/back\\slash_\n\tand a new line",
    "x' OR '1'='1",
    "/büro/文書/😀.html",
    "/a/*?[b](c){d}:+^~",
    " ",
    "/b\udcfcro/caf\udce9.txt",  # how Python gives a file's name that is no UTF-8
    "\0/a",
]
HOSTILE_TERMS = [
    *("it's", '"quoted"', "100%", "back\\slash", "naïve", "文書", "😀", "AND", "OR", "NOT", "*"),
    *("field:x", "a~2", "(a", "b)", "+c", "-d", "^2", "[e", "f}", "'", "/g/", "Upper", "ﬁ", "_"),
    *("n" * 39, "n" * 40, "n" * 41, "n" * 42, "ü" * 300),
]
WORDS = [f"w{number}" for number in range(40)]


@pytest.fixture(params=sorted(STORES))
def engine(request: pytest.FixtureRequest) -> str:
    """Return the name of an engine."""
    return str(request.param)


@pytest.fixture
def open_store(engine: str, tmp_path: Path) -> Callable[[], Store]:
    """Return a function that opens the same place again, as another process would."""
    return lambda: STORES[engine](tmp_path)


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Iterator[Store]:
    """Return an empty store of each engine."""
    store = open_store()
    store.create()
    yield store
    store.close()


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def document(
    key: str,
    *texts: str,
    names: str = "",
    labels: Labels | None = None,
    generation: int = 1,
    boilerplate: bool = False,
) -> StoredDocument:
    """Return a document with these passages, whose terms stand with spaces between them."""
    return StoredDocument(
        key=key,
        generation=hashlib.sha256(encoded(f"{generation} {key}")).hexdigest()[:32],
        labels=labels or Labels(hashlib.sha256(encoded(key)).hexdigest()),
        names=tuple(names.split()),
        facts=f'{{"key": "{key}", "generation": {generation}}}',
        body=encoded(f"body of {key} {generation}\0"),
        passages=tuple(
            StoredPassage(number, tuple(text.split()), encoded(f"{number} of {key}\0"), boilerplate)
            for number, text in enumerate(texts)
        ),
    )


def write(store: Store, *documents: StoredDocument, remove: Sequence[str] = ()) -> None:
    """Write documents and remove others, in one commit."""
    with store.writer() as writer:
        for one in documents:
            writer.replace(one)
        for key in remove:
            writer.remove(key)
        writer.commit()


def keys(snapshot: Snapshot, where: Where | None = None) -> list[str]:
    found = snapshot.documents(where) if where is not None else snapshot.documents()
    return [facts.key for facts in found]


def places(hits: Sequence[StoredHit]) -> list[tuple[str, int]]:
    return [(hit.key, hit.number) for hit in hits]


def search(store: Store, terms: str, *, top_k: int = 10, **settings: object) -> list[StoredHit]:
    """Return the hits of a query in the store as it is now."""
    query = Query(terms.split(), top_k, **settings)  # type: ignore[arg-type]
    return store.snapshot().search(query)


def lucene_scores(fields: Sequence[Sequence[str]], terms: Sequence[str]) -> Sequence[float]:
    """Return the score of each field for a query, by docqa's formula."""
    return LuceneBM25(fields).get_scores(terms).tolist()  # type: ignore[no-any-return]


def lance_scores(fields: Sequence[Sequence[str]], terms: Sequence[str]) -> Sequence[float]:
    """Return the score of each field by Lance's formula: exact lengths, and no field without terms.

    Such a field counts neither in the mean length nor in the number of passages.
    """
    full = [field for field in fields if field]
    mean = sum(map(len, full)) / max(1, len(full))
    scores = [0.0] * len(fields)
    for term in terms:
        df = sum(term in field for field in full)
        idf = math.log1p((len(full) - df + 0.5) / (df + 0.5))
        for at, field in enumerate(fields):
            if tf := field.count(term):
                scores[at] += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(field) / mean))
    return scores


FORMULAS = {"lance": lance_scores, "tantivy": lucene_scores}


def expected_scores(
    documents: Sequence[StoredDocument], query: Query, engine: str
) -> dict[tuple[str, int], float]:
    """Return the score of every passage that a query finds, by the seam's own words."""
    rows = [(one, passage) for one in documents for passage in one.passages]
    own = FORMULAS[engine]([passage.terms for _, passage in rows], query.terms)
    named = FORMULAS[engine]([one.names for one, _ in rows], query.terms)
    scores = {
        (one.key, passage.number): (score + query.name_weight * name)
        * (query.boilerplate_weight if passage.boilerplate else 1)
        for (one, passage), score, name in zip(rows, own, named, strict=True)
        if query.where.holds(one.key, one.labels)
    }
    return {place: score for place, score in scores.items() if score > 0}


def check_ranking(
    hits: Sequence[StoredHit],
    documents: Sequence[StoredDocument],
    query: Query,
    engine: str,
    *,
    within: float = 1e-5,
) -> None:
    """Check scores and order against the seam's words; equal up to single precision is a tie.

    Args:
        hits: of the query.
        documents: all that are in the store.
        query: what was asked.
        engine: whose formula holds.
        within: how far scores may be off, as a share; the score of each rank, too.
    """
    scores = expected_scores(documents, query, engine)
    best = sorted(scores.values(), reverse=True)[: query.top_k]
    assert [hit.score for hit in hits] == pytest.approx(best, rel=within)
    assert [scores[hit.key, hit.number] for hit in hits] == pytest.approx(best, rel=within)
    assert len(set(places(hits))) == len(hits)
    assert list(hits) == sorted(hits, key=lambda hit: (-hit.score, hit.key, hit.number))


def made_collection(n_documents: int, *, seed: int = 0) -> list[StoredDocument]:
    """Return documents of random words, some frequent and some rare, of lengths from 0 to 200."""
    chance = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    made = []
    for number in range(n_documents):
        lengths = [chance.choice((0, 3, 20, 45, 100, 200)) for _ in range(chance.randint(1, 6))]
        texts = [" ".join(chance.choices(WORDS, weights, k=length)) for length in lengths]
        names = " ".join(chance.choices(WORDS, weights, k=chance.randint(0, 4)))
        flagged = chance.random() < 0.2
        made.append(
            document(f"/{number:03}", *texts, names=names, boilerplate=flagged, generation=seed)
        )
    return made


def made_queries(where: Where | None = None) -> Iterator[Query]:
    """Yield queries of one to six terms, some repeated or unknown, with and without names."""
    chance = random.Random(1)
    for length in (1, 2, 4, 6):
        for name_weight in (0.0, 0.6):
            terms = chance.choices([*WORDS, "unknown"], k=length)
            yield Query(terms, chance.choice((1, 5, 1000)), where or Where(), name_weight)


class TestContents:
    """What was written is there, whole."""

    def test_engine_has_the_verbs(self, store: Store) -> None:
        """It is a `Store`, its states are `Snapshot`s, and its address is for people."""
        assert isinstance(store, Store)
        assert isinstance(store.snapshot(), Snapshot)
        assert store.address

    def test_empty_store(self, store: Store) -> None:
        """A new collection has nothing, and finding nothing in it is no error."""
        snapshot = store.snapshot()
        assert store.exists()
        assert snapshot.n_passages == 0
        assert keys(snapshot) == keys(snapshot, Where(folder="/a")) == []
        assert snapshot.search(Query(["oil"], 5)) == []
        assert snapshot.document("/a") is None

    def test_no_store(self, open_store: Callable[[], Store]) -> None:
        """Where nothing was created there is nothing to read, and the message says so."""
        store = open_store()
        assert not store.exists()
        with pytest.raises(CollectionError, match="kb"):
            store.snapshot()

    def test_document_comes_back(self, store: Store) -> None:
        """All that was written comes back: labels, names, terms in order, flags and bodies."""
        labels = Labels("ab", ("/", "/a"), "text/html", "It's", -5, {"year": "2024", "it's": '"'})
        written = document("/a/b", "oil lamp oil", "", "wind", names="lamp log", labels=labels)
        flagged = document("/a/c", "oil", boilerplate=True)
        write(store, written, flagged)
        snapshot = store.snapshot()
        assert snapshot.document("/a/b") == written
        assert snapshot.document("/a/c") == flagged
        assert snapshot.document("/a") is None
        assert snapshot.body("/a/b", written.generation) == written.body
        assert snapshot.n_passages == 4

    def test_documents_are_ordered(self, store: Store) -> None:
        """Lists go by key, in the order of code points, with each document's facts."""
        written = [document(key, "oil") for key in ("/b", "/a", "/ä", "/Z", "/a/b")]
        write(store, *written)
        found = list(store.snapshot().documents())
        assert [facts.key for facts in found] == ["/Z", "/a", "/a/b", "/b", "/ä"]
        assert {facts.facts for facts in found} == {one.facts for one in written}
        assert {facts.generation for facts in found} == {one.generation for one in written}

    def test_replace_leaves_nothing_of_the_older(self, store: Store) -> None:
        """A document of more passages is replaced by one of fewer; the older is not found."""
        write(store, document("/a", "oil", "lamp", "wind"), document("/b", "oil"))
        newer = document("/a", "rain", generation=2)
        write(store, newer)
        assert store.snapshot().document("/a") == newer
        assert store.snapshot().n_passages == 2
        assert places(search(store, "oil lamp wind")) == [("/b", 0)]
        assert places(search(store, "rain")) == [("/a", 0)]

    def test_remove(self, store: Store) -> None:
        """A removed document is gone; an unknown key is no error."""
        write(store, document("/a", "oil"), document("/b", "oil"))
        write(store, remove=["/a", "/unknown"])
        assert keys(store.snapshot()) == ["/b"]
        assert places(search(store, "oil")) == [("/b", 0)]
        write(store, remove=["/b"])
        assert store.snapshot().n_passages == 0
        assert search(store, "oil") == []

    def test_last_change_of_a_key_counts(self, store: Store) -> None:
        """Within one commit too."""
        one, two = document("/a", "oil"), document("/a", "wind", "rain", generation=2)
        with store.writer() as writer:
            writer.replace(one)
            writer.replace(two)
            writer.replace(document("/b", "oil"))
            writer.remove("/b")
            writer.remove("/c")
            writer.replace(document("/c", "oil"))
            writer.commit()
        assert store.snapshot().document("/a") == two
        assert keys(store.snapshot()) == ["/a", "/c"]

    def test_unknown_generation_is_told(self, store: Store) -> None:
        """The body of a generation that was replaced is not another one's."""
        write(store, document("/a", "oil"))
        with pytest.raises(CollectionError, match="/a"):
            store.snapshot().body("/a", "f" * 32)

    def test_notes(self, store: Store, open_store: Callable[[], Store]) -> None:
        """Notes are there at once, for everybody; a text takes the place of an older one."""
        assert store.read_note("sources") is None
        store.write_note("sources", "old")
        store.write_note("sources", "it's\n'文'")
        store.write_note("errors", "")
        assert open_store().read_note("sources") == "it's\n'文'"
        assert store.read_note("errors") == ""

    def test_create_leaves_what_is_there(
        self, store: Store, open_store: Callable[[], Store]
    ) -> None:
        """Whoever looked before another process began must not end what that one has written."""
        write(store, document("/a", "oil"))
        store.write_note("sources", "ours")
        late = open_store()
        late.create()
        write(late, document("/b", "oil"))
        assert places(search(store, "oil")) == [("/a", 0), ("/b", 0)]
        assert late.read_note("sources") == "ours"

    def test_compact_changes_nothing(self, store: Store) -> None:
        """What is there stays there, before and after; its room is known or unknown."""
        store.compact()
        written = [document(f"/{name}", "oil", "wind rain") for name in "abc"]
        write(store, *written, document("/d", "oil"))
        write(store, remove=["/d"])
        store.compact()
        assert [store.snapshot().document(one.key) for one in written] == written
        assert keys(store.snapshot()) == ["/a", "/b", "/c"]
        assert places(search(store, "rain")) == [("/a", 1), ("/b", 1), ("/c", 1)]
        assert store.size() is None or store.size() > 0  # type: ignore[operator]


class TestCommits:
    """Readers see whole commits."""

    def test_nothing_is_seen_before_the_commit(
        self, store: Store, open_store: Callable[[], Store]
    ) -> None:
        """Other openings of the store see all of a commit from then on."""
        reader = open_store()
        with store.writer() as writer:
            for number in range(3):
                writer.replace(document(f"/{number}", "oil"))
                assert reader.snapshot().n_passages == 0
            writer.commit()
            assert reader.snapshot().n_passages == 3
            writer.remove("/0")
            assert len(search(reader, "oil")) == 3
            writer.commit()
            assert len(search(reader, "oil")) == 2

    def test_without_a_commit_nothing_is_kept(self, store: Store) -> None:
        """Leaving the writer drops what was not committed, also when an error is on its way."""
        write(store, document("/a", "oil"))
        with store.writer() as writer:
            writer.replace(document("/b", "oil"))
        with contextlib.suppress(ZeroDivisionError), store.writer() as writer:
            writer.remove("/a")
            raise ZeroDivisionError
        write(store, document("/c", "oil"))
        assert keys(store.snapshot()) == ["/a", "/c"]

    def test_empty_commit(self, store: Store) -> None:
        """Committing without a change is no error."""
        write(store)
        write(store, document("/a", "oil"))
        write(store)
        assert keys(store.snapshot()) == ["/a"]

    def test_snapshot_stays_as_it_was(self, store: Store) -> None:
        """Later commits do not show in it, not even for what it looks at for the first time."""
        older = document("/a", "oil", "lamp")
        write(store, older, document("/b", "oil", names="log"))
        snapshot = store.snapshot()
        write(store, document("/a", "wind", generation=2), document("/c", "oil"), remove=["/b"])
        assert snapshot.n_passages == 3
        assert keys(snapshot) == ["/a", "/b"]
        assert snapshot.document("/a") == older
        assert snapshot.body("/a", older.generation) == older.body
        assert places(snapshot.search(Query(["oil"], 5))) == [("/a", 0), ("/b", 0)]
        assert snapshot.search(Query(["wind"], 5)) == []
        assert places(store.snapshot().search(Query(["wind"], 5))) == [("/a", 0)]

    def test_hits_are_of_one_generation(self, store: Store) -> None:
        """A hit names the generation that it was found in, and brings that passage's body."""
        write(store, document("/a", "oil", "oil lamp"))
        newer = document("/a", "wind", "lamp", generation=2)
        write(store, newer)
        (hit,) = search(store, "lamp oil")
        assert (hit.generation, hit.number) == (newer.generation, 1)
        assert hit.body == newer.passages[1].body


class TestRanking:
    """Scores are BM25, names and flags counted as the seam says."""

    @pytest.mark.parametrize("n_commits", [1, 5])
    def test_scores_equal_the_formula(self, store: Store, engine: str, n_commits: int) -> None:
        """However many commits wrote the passages; the statistics are those of all of them."""
        collection = made_collection(60)
        for first in range(n_commits):
            write(store, *collection[first::n_commits])
        for query in made_queries():
            check_ranking(store.snapshot().search(query), collection, query, engine)

    def test_scores_after_compaction(self, store: Store, engine: str) -> None:
        """What was replaced and removed does not count any more; what came since then does.

        In Lance it counts for itself alone, until the next compaction.
        """
        kept, newer = made_collection(60), made_collection(60, seed=2)
        write(store, *kept)
        kept[:10] = newer[:10]
        write(store, *kept[:10], remove=[one.key for one in kept[50:]])
        store.compact()
        for query in made_queries():
            check_ranking(store.snapshot().search(query), kept[:50], query, engine)
        write(store, *newer[50:])
        kept[50:] = newer[50:]
        within = 0.15 if engine == "lance" else 1e-5
        for query in made_queries():
            found = store.snapshot().search(query)
            check_ranking(found, kept, query, engine, within=within)
        store.compact()
        for query in made_queries():
            check_ranking(store.snapshot().search(query), kept, query, engine)

    def test_filters_leave_scores_alone(self, store: Store, engine: str) -> None:
        """A filter chooses passages; IDF and mean length stay those of the whole collection.

        Lance ranks what was written since its last compaction by the passages that are asked.
        """
        collection = made_collection(60)
        write(store, *collection)
        where = Where(keys=tuple(one.key for one in collection[::7]))
        for query in made_queries(where):
            hits, scores = (
                store.snapshot().search(query),
                expected_scores(collection, query, engine),
            )
            assert len(hits) == min(query.top_k, len(scores))
            assert set(places(hits)) <= set(scores)
        if engine == "lance":
            store.compact()
        for query in made_queries(where):
            check_ranking(store.snapshot().search(query), collection, query, engine)

    def test_names_weigh(self, store: Store) -> None:
        """The names of a document lift all of its passages, if they are given a weight."""
        named = document("/b", "oil", "wind", names="lamp")
        write(store, document("/a", "oil"), named, document("/c", "oil oil wind"))
        assert search(store, "lamp") == []
        assert places(search(store, "lamp", name_weight=0.5)) == [("/b", 0), ("/b", 1)]
        assert places(search(store, "oil lamp", name_weight=0.5))[0] == ("/b", 0)

    def test_flagged_passages_count_less(self, store: Store) -> None:
        """They come after others, or not at all where their weight is 0."""
        flagged = document("/a", "lamp oil", boilerplate=True)
        write(store, flagged, document("/b", "oil wind"), document("/c", "rain"))
        assert places(search(store, "oil lamp")) == [("/a", 0), ("/b", 0)]
        assert places(search(store, "oil lamp", boilerplate_weight=0.1))[0] == ("/b", 0)
        assert places(search(store, "oil lamp", boilerplate_weight=0.0)) == [("/b", 0)]

    @pytest.mark.parametrize("top_k", [1, 3, 71])
    def test_ties_go_by_key_and_number(self, store: Store, top_k: int) -> None:
        """So they do where more passages tie than are asked for, in the order of no engine."""
        order = [f"/{number:02}" for number in range(35)]
        mixed = [
            document(key, "oil lamp", "oil lamp") for key in random.Random(3).sample(order, 35)
        ]
        for first in range(3):
            write(store, *mixed[first::3])
        write(store, document("/zz", "oil lamp rain wind"))
        wanted = [(key, number) for key in order for number in (0, 1)] + [("/zz", 0)]
        assert places(search(store, "oil", top_k=top_k)) == wanted[:top_k]

    def test_repeated_terms_count_again(self, store: Store) -> None:
        """A query's term counts as often as it is there."""
        write(store, document("/a", "oil"), document("/b", "lamp lamp"), document("/c", "rain"))
        once, twice = (search(store, terms)[0].score for terms in ("oil", "oil oil"))
        assert twice == pytest.approx(2 * once, rel=1e-5)

    @pytest.mark.parametrize("terms", ["", "unknown", "unknown unknown"])
    def test_nothing_to_find(self, store: Store, terms: str) -> None:
        """No term, or none that is there, finds nothing, whatever the filter."""
        write(store, document("/a", "oil", ""), document("/b", ""))
        assert search(store, terms) == search(store, terms, where=Where(keys=("/a",))) == []
        assert search(store, terms, name_weight=1.0) == []

    def test_more_is_asked_for_than_there_is(self, store: Store) -> None:
        """All that is found comes, and no more."""
        write(store, document("/a", "oil", "wind", "oil"))
        assert places(search(store, "oil", top_k=10_000)) == [("/a", 0), ("/a", 2)]


class TestFilters:
    """Filters are those of `Where.holds`."""

    CASES = (
        Where(keys=("/a/it's", "/z")),
        Where(keys=("/unknown",)),
        Where(folder="/"),
        Where(folder="/a"),
        Where(folder="/a/b%_'"),
        Where(folder="/A"),
        Where(media_type="text/html"),
        Where(title='Say "it\'s"'),
        Where(title=""),
        Where(title="say"),
        Where(since=0),
        Where(since=-10, until=0),
        Where(until=100),
        Where(since=100, until=100),
        Where(metadata={"year": "2024"}),
        Where(metadata={"year": "2024", "it's": "a'b"}),
        Where(metadata={"year": "2024,"}),
        Where(metadata={"2024": "year"}),
        Where(metadata={"": ""}),
        Where(folder="/a", media_type="text/html", since=0, metadata={"year": "2024"}),
    )

    @pytest.fixture
    def labelled(self) -> dict[str, Labels]:
        return {
            "/a/it's": Labels("1", ("/", "/a"), "text/html", 'Say "it\'s"', 100, {"year": "2024"}),
            "/a/b%_'/c": Labels("2", ("/", "/a", "/a/b%_'"), "text/html", "Say", 0),
            "/ab/c": Labels("3", ("/", "/ab"), "text/plain", "", None, {"": "", "it's": "a'b"}),
            "/z": Labels("4", ("/",), "", "", -1, {"year": "2024", "it's": "a'b"}),
            "s3://b/k": Labels("5"),
        }

    @pytest.mark.parametrize("where", CASES, ids=str)
    @pytest.mark.parametrize("compact", [False, True])
    def test_where(
        self, store: Store, labelled: dict[str, Labels], where: Where, compact: bool
    ) -> None:
        """Lists and searches show the documents for which it holds, and no others."""
        write(store, *(document(key, "oil", "lamp", labels=it) for key, it in labelled.items()))
        if compact:
            store.compact()
        wanted = sorted(key for key, labels in labelled.items() if where.holds(key, labels))
        assert keys(store.snapshot(), where) == wanted
        assert places(search(store, "oil", where=where)) == [(key, 0) for key in wanted]


class TestHostileStrings:
    """No key and no term means anything to an engine but itself."""

    def test_keys(self, store: Store) -> None:
        """Each is written, found, replaced and removed alone."""
        write(store, *(document(key, "oil") for key in HOSTILE_KEYS))
        assert keys(store.snapshot()) == sorted(HOSTILE_KEYS)
        for left, key in enumerate(HOSTILE_KEYS):
            newer = document(key, "oil", "lamp", generation=2)
            write(store, newer)
            snapshot = store.snapshot()
            assert snapshot.document(key) == newer
            assert keys(snapshot, Where(keys=(key,))) == [key]
            assert places(search(store, "lamp", where=Where(keys=(key,)))) == [(key, 1)]
            write(store, remove=[key])
            assert store.snapshot().n_passages == len(HOSTILE_KEYS) - left - 1

    def test_texts_without_an_encoding(self, store: Store) -> None:
        """Half of a surrogate pair has no UTF-8: labels and facts with one are kept, and found."""
        key, folder, entry = "/b\udcfcro/caf\udce9.txt", "/b\udcfcro", {"caf\udce9": "\ud800"}
        labels = Labels("1", ("/", folder), "text/html", "Rep\ud800rt", 0, entry)
        odd = replace(document(key, "oil", "lamp", labels=labels), facts='"caf\udce9"')
        write(store, odd, document("/a", "oil"), document("/z", "oil"))
        for compacted in (False, True):
            snapshot = store.snapshot()
            assert snapshot.document(key) == odd
            assert snapshot.body(key, odd.generation) == odd.body
            assert [each.facts for each in snapshot.documents(Where(keys=(key,)))] == [odd.facts]
            assert keys(snapshot) == ["/a", key, "/z"]
            assert places(search(store, "oil")) == [("/a", 0), (key, 0), ("/z", 0)]
            for where in (
                *(Where(keys=("/a", key)), Where(folder=folder), Where(title="Rep\ud800rt")),
                Where(metadata=entry),
            ):
                assert (key, 0) in places(search(store, "oil", where=where))
                assert keys(snapshot, where)[-1] == key
            if not compacted:
                store.compact()

    def test_terms_without_an_encoding_are_told(self, store: Store) -> None:
        """No analysis makes such a term; it is an error of the collection, and nothing is kept."""
        with pytest.raises(CollectionError, match="kb"):
            write(store, document("/a", "oil \ud800"))
        assert keys(store.snapshot()) == []

    @pytest.mark.parametrize("compact", [False, True])
    def test_terms(self, store: Store, engine: str, compact: bool) -> None:
        """Each finds the passages that hold it, letter for letter, and counts in their length."""
        collection = [
            document("/each", *HOSTILE_TERMS),
            document("/all", " ".join(HOSTILE_TERMS), names=" ".join(HOSTILE_TERMS)),
            document("/plain", "upper it s 100 quoted fi n a b c d"),
        ]
        write(store, *collection)
        if compact:
            store.compact()
        snapshot = store.snapshot()
        assert [snapshot.document(one.key) for one in collection] == collection
        for term in HOSTILE_TERMS:
            query = Query([term], 5, name_weight=0.5)
            check_ranking(snapshot.search(query), collection, query, engine)
