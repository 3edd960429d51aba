"""Readers by name or path: ``load_reader("mini")``, a folder, or a checkpoint of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.calibration import CALIBRATION_FILE, Calibration
from docqa.errors import ModelIncompatibleError, ModelNotFoundError, SettingError
from docqa.reader.checkpoints import Checkpoint, find_checkpoint
from docqa.reader.requirements import require

if TYPE_CHECKING:
    from docqa.reader.runtimes import LoadedModel, Runtime
    from docqa.reader.span_reader import SpanReader
    from docqa.reader.tokenizer import FastTokenizer

__all__ = ["Tokenizing", "knows_no_answer", "load_reader", "load_tokenizer", "load_tokenizing"]

# Tokens of one forward pass. On a CPU 256 to 8192 are equally fast and more takes memory; a GPU
# needs about this many to be busy.
_BATCH_TOKENS = {"cpu": 2048, "mps": 8192, "cuda": 32768}
_WINDOW_TOKENS, _WINDOW_OVERLAP, _QUESTION_TOKENS = 384, 128, 64
_ROOMY = 512  # positions from which on every kind of model has room for the usual window

_SAVE_TOKENIZER = (
    "save the tokenizer beside the weights: "
    "transformers.AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER)"
)


@dataclass(frozen=True, slots=True)
class Tokenizing:
    """All of a reader but its weights: enough to split documents for it.

    Attributes:
        name: what `load_reader` calls the reader.
        tokenizer: the reader's.
        max_passage_tokens: tokens of the largest passage that fits beside any allowed question.
    """

    name: str
    tokenizer: FastTokenizer
    max_passage_tokens: int


def load_tokenizing(name_or_path: str | Path) -> Tokenizing:
    """Load all of a reader but its weights, to split documents for it.

    Raises:
        ModelError: there is no such reader.
    """
    checkpoint = find_checkpoint(str(name_or_path))
    positions = checkpoint.config.get("max_position_embeddings")
    if isinstance(positions, int) and positions >= _ROOMY:
        tokenizer = load_tokenizer(checkpoint)
        room = _WINDOW_TOKENS - tokenizer.template.n_special
        return Tokenizing(checkpoint.name, tokenizer, room - _QUESTION_TOKENS)
    reader = load_reader(name_or_path)  # how many positions a small or odd model has, it says
    return Tokenizing(reader.name, reader.tokenizer, reader.max_passage_tokens)


def load_reader(
    name_or_path: str | Path = "mini",
    *,
    runtime: Runtime = "auto",
    device: str = "auto",
    dtype: str | None = None,
    batch_tokens: int | None = None,
    max_answer_tokens: int = 30,
    max_question_tokens: int | None = None,
    window_tokens: int | None = None,
    window_overlap: int | None = None,
    revision: str | None = None,
    no_answer: bool | None = None,
    calibration: bool | str | Path = True,
) -> SpanReader:
    """Load a reader.

    Nothing is fetched unless `name_or_path` names a repository of the Hugging Face hub that is not
    in the local cache; ``HF_HUB_OFFLINE=1`` forbids that too.

    Args:
        name_or_path: ``"mini"``, which ships with docqa; ``"distilbert"``, which is
            distilbert/distilbert-base-cased-distilled-squad at a pinned revision; the folder of a
            checkpoint; or ``"owner/name"`` on the hub. Any extractive question-answering
            checkpoint with safetensors weights is read: DistilBERT, BERT, MPNet, RoBERTa,
            ModernBERT and others that put the question first.
        runtime: ``"torch"``, which runs every checkpoint on every device (the extra ``torch``);
            ``"onnx"`` for ONNX Runtime, which runs checkpoints that were packed for it (``mini``
            is one; `docqa.reader.pack` packs) on CPUs; ``"auto"`` for ONNX Runtime where it can
            run the model, on a machine without a GPU or with ``device="cpu"``, else torch.
        device: ``"auto"`` (CUDA, else MPS, else the CPU) or a torch device such as ``"cuda:1"``.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"``, or with ONNX Runtime ``"int8"`` or
            ``"float32"``. None for bfloat16 on CUDA devices that compute in it, int8 on ONNX
            Runtime, and float32 elsewhere.
        batch_tokens: tokens of one forward pass; None for what suits the device.
        max_answer_tokens: longest answer, in tokens.
        max_question_tokens: longest question; None for 64, or half of a small model's window.
        window_tokens: question, passage and special tokens of one window; None for 384, or the
            positions of a model that has fewer.
        window_overlap: tokens that windows of one long passage share; None for 128, or half of what
            a small window leaves.
        revision: commit, tag or branch on the hub.
        no_answer: the model was trained with unanswerable questions; None for what its
            config.json says under ``{"docqa": {"no_answer": …}}``, else whether its name says
            ``squad2`` or ``squad_v2``, as such checkpoints are named on the hub.
        calibration: True for the ``calibration.json`` beside the weights, where there is one;
            False for none; or the path of a file that ``docqa calibrate`` wrote.

    Raises:
        ModelNotFoundError: there is no such model, or files are missing and cannot be fetched.
        ModelIncompatibleError: it is not an extractive question-answering checkpoint, or the
            calibration belongs to other weights.
        ModelError: the calibration is damaged.
        MissingDependencyError: torch is needed for it, and the extra ``torch`` is not installed.
        SettingError: a size, runtime, device or dtype is out of range.
    """
    from docqa.reader.runtimes import load_model
    from docqa.reader.span_reader import SpanReader

    checkpoint = find_checkpoint(str(name_or_path), revision=revision)
    tokenizer = load_tokenizer(checkpoint)
    model = load_model(
        checkpoint,
        separator_id=tokenizer.template.between[0],
        runtime=runtime,
        device=device,
        dtype=dtype,
    )
    window = _window(window_tokens, model)
    room = window - tokenizer.template.n_special
    question = _or_default(max_question_tokens, min(_QUESTION_TOKENS, room // 2))
    return SpanReader(
        model,
        tokenizer,
        name=checkpoint.name,
        revision=checkpoint.revision,
        no_answer=knows_no_answer(checkpoint) if no_answer is None else no_answer,
        window_tokens=window,
        window_overlap=_or_default(window_overlap, min(_WINDOW_OVERLAP, (room - question) // 2)),
        max_question_tokens=question,
        max_answer_tokens=max_answer_tokens,
        batch_tokens=_or_default(batch_tokens, _BATCH_TOKENS.get(model.device_type, 4096)),
        calibration=_calibration(checkpoint, calibration),
    )


def _calibration(checkpoint: Checkpoint, given: bool | str | Path) -> Calibration | None:
    """Return the calibration that lies beside the weights, or in the file given.

    One of other weights is refused, since its probabilities would be wrong without a sign of it.
    """
    beside = checkpoint.folder / CALIBRATION_FILE
    if given is False or (given is True and not beside.is_file()):
        return None
    path = beside if given is True else Path(given).expanduser()
    made = Calibration.read(path)
    if made.revision and checkpoint.revision and made.revision != checkpoint.revision:
        raise ModelIncompatibleError(
            f"{path} was fitted to the weights {made.revision}, but those of {checkpoint.name!r} "
            f"are {checkpoint.revision}; run docqa calibrate again, or remove the file"
        )
    return made


def _window(given: int | None, model: LoadedModel) -> int:
    if given is None:
        return min(_WINDOW_TOKENS, model.max_tokens)
    if given > model.max_tokens:
        raise SettingError(
            f"window_tokens must be at most {model.max_tokens}, what the model has positions for; "
            f"it is {given}"
        )
    return given


def _or_default(given: int | None, default: int) -> int:
    return default if given is None else given


def knows_no_answer(checkpoint: Checkpoint) -> bool:
    """Say whether a model saw unanswerable questions, by its config.json, else by its name."""
    said = checkpoint.config.get("docqa", {})
    if "no_answer" in said:
        return bool(said["no_answer"])
    return any(mark in checkpoint.name.lower() for mark in ("squad2", "squad_v2", "squad-v2"))


def load_tokenizer(checkpoint: Checkpoint) -> FastTokenizer:
    """Load the tokenizer that lies beside a checkpoint's weights.

    Raises:
        ModelNotFoundError: it has none.
        ModelIncompatibleError: it cannot be read, or does not belong to the weights.
    """
    from tokenizers import Tokenizer as Backend

    from docqa.reader.tokenizer import FastTokenizer

    path = checkpoint.folder / "tokenizer.json"
    if path.is_file():
        try:
            backend = Backend.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelIncompatibleError(
                f"{path} cannot be read as a tokenizer: {error}"
            ) from error
    else:
        backend = _converted_tokenizer(checkpoint)
    n_known, n_rows = backend.get_vocab_size(False), checkpoint.config.get("vocab_size")
    if isinstance(n_rows, int) and not n_rows / 2 < n_known <= n_rows:
        raise ModelIncompatibleError(
            f"the tokenizer of {checkpoint.name!r} knows {n_known} tokens, its model {n_rows}; "
            f"they do not belong together; {_SAVE_TOKENIZER}"
        )
    return FastTokenizer(backend, pad_id=checkpoint.config.get("pad_token_id") or 0)


def _converted_tokenizer(checkpoint: Checkpoint) -> Any:
    """Build the fast tokenizer of a checkpoint that has vocabulary files only."""
    path = checkpoint.folder / "tokenizer.json"
    if not any(any(checkpoint.folder.glob(name)) for name in ("vocab*", "*.model")):
        # Without this, transformers would make a tokenizer that knows no words.
        raise ModelNotFoundError(f"{path} is missing; {_SAVE_TOKENIZER}")
    require(f"the tokenizer of {checkpoint.name!r}, which has no tokenizer.json,", "transformers")
    from transformers import AutoTokenizer

    try:
        made = AutoTokenizer.from_pretrained(
            checkpoint.folder, local_files_only=True, trust_remote_code=False
        )
        return made.backend_tokenizer
    except Exception as error:  # conversion fails in many ways; all mean the same here
        raise ModelIncompatibleError(
            f"{path} is missing and could not be made from the vocabulary files beside it "
            f"({error}); {_SAVE_TOKENIZER}"
        ) from error
