"""Fixtures that several test files share: readers, and tiny random checkpoints."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from docqa.reader.span_reader import SpanReader

# The first example of a test may import a library; how long that takes says nothing of docqa.
settings.register_profile("docqa", deadline=None)
settings.load_profile("docqa")

pytest_plugins = ["office_files", "pdf_files"]  # the fixtures that write such files

QUESTION_WORDS = ["what", "is", "my", "name", "where", "do", "i", "live", "who", "audits", "?"]
PASSAGE_WORDS = ["and", "in", "the", "company", "john", "seattle", ".", ",", "of"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that reads the development data."""
    for item in items:
        if "data_folder" in getattr(item, "fixturenames", ()):
            item.add_marker("data")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the development data that DOCQA_DATA names; skip the test where there is none."""
    folder = Path(os.environ.get("DOCQA_DATA", ""))
    if "DOCQA_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("DOCQA_DATA does not name the folder of the development data")
    return folder


@pytest.fixture(scope="session")
def mini() -> SpanReader:
    """Return the shipped reader on the CPU, in float32."""
    from docqa.reader.models import load_reader

    return load_reader("mini", device="cpu", dtype="float32")


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compute in one thread: for tiny models, waiting for others takes longer than the work."""
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from an architecture's name to the folder of a tiny random checkpoint."""
    made: dict[str, Path] = {}

    def folder_of(architecture: str) -> Path:
        if architecture not in made:
            made[architecture] = tmp_path_factory.mktemp(architecture)
            _save_checkpoint(architecture, made[architecture])
        return made[architecture]

    return folder_of


@pytest.fixture(scope="session")
def packed(
    checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Return a function from an architecture's name to its tiny checkpoint, packed."""
    made: dict[str, Path] = {}

    def folder_of(architecture: str) -> Path:
        from docqa.reader.pack import pack_reader

        if architecture not in made:
            made[architecture] = tmp_path_factory.mktemp(f"{architecture}-packed")
            pack_reader(checkpoint(architecture), made[architecture])
        return made[architecture]

    return folder_of


def _save_checkpoint(architecture: str, folder: Path) -> None:
    """Write a two-layer model with random weights and a toy tokenizer, as transformers would."""
    import torch
    import transformers

    kinds = {"distilbert": _word_pieces, "bert": _word_pieces, "mpnet": _mpnet_word_pieces}
    tokenizer = kinds.get(architecture, _bytes)()
    tokenizer.save(str(folder / "tokenizer.json"))
    padding = tokenizer.token_to_id("<pad>") or 0
    sizes = {"vocab_size": tokenizer.get_vocab_size(), "pad_token_id": padding}
    wide = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    wide |= {"intermediate_size": 48, "max_position_embeddings": 130}
    specials = {"cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2}
    config = {
        "distilbert": lambda: transformers.DistilBertConfig(
            **sizes, dim=32, n_layers=2, n_heads=2, hidden_dim=48, max_position_embeddings=128
        ),
        "bert": lambda: transformers.BertConfig(**sizes, **wide),
        "mpnet": lambda: transformers.MPNetConfig(**sizes, **wide),
        "roberta": lambda: transformers.RobertaConfig(**sizes, **wide),
        "modernbert": lambda: transformers.ModernBertConfig(**sizes, **wide, **specials),
    }[architecture]()
    torch.manual_seed(0)
    model = transformers.AutoModelForQuestionAnswering.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():  # so that answers differ from window to window
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    model.save_pretrained(folder)


def _word_pieces(special=("[PAD]", "[CLS]", "[SEP]", "[UNK]")):  # type: ignore[no-untyped-def]
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    tokens = [
        *special,
        *QUESTION_WORDS,
        *PASSAGE_WORDS,
        *letters,
        *(f"##{c}" for c in letters),
    ]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tokenizer


def _mpnet_word_pieces():  # type: ignore[no-untyped-def]
    from tokenizers import processors

    tokenizer = _word_pieces(("<s>", "<pad>", "</s>", "[UNK]"))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def _bytes():  # type: ignore[no-untyped-def]
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokens = ["<pad>", "<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(["<pad>", "<s>", "</s>"])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 1), trim_offsets=False, add_prefix_space=False
    )
    return tokenizer
