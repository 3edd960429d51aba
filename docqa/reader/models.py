"""Readers by name or path: ``load_reader("mini")``, a folder, or a checkpoint of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from docqa.calibration import CALIBRATION_FILE, Calibration
from docqa.errors import ModelIncompatibleError, SettingError
from docqa.reader.checkpoints import Checkpoint, find_checkpoint
from docqa.reader.tokenizer_files import load_tokenizer

if TYPE_CHECKING:
    from docqa.reader.cascade_reader import CascadeReader
    from docqa.reader.loaded_model import LoadedModel
    from docqa.reader.runtimes import Runtime
    from docqa.reader.span_reader import SpanReader

__all__ = ["QUESTION_TOKENS", "WINDOW_TOKENS", "knows_no_answer", "load_reader", "load_span_reader"]

# Tokens of one forward pass. On a CPU 256 to 8192 are equally fast and more takes memory; a GPU
# needs about this many to be busy.
_BATCH_TOKENS = {"cpu": 2048, "mps": 8192, "cuda": 32768}
WINDOW_TOKENS, _WINDOW_OVERLAP, QUESTION_TOKENS = 384, 128, 64
_ANSWER_TOKENS = 30


def load_reader(
    name_or_path: str | Path = "mini",
    *,
    runtime: Runtime = "auto",
    device: str = "auto",
    dtype: str | None = None,
    batch_tokens: int | None = None,
    max_answer_tokens: int = _ANSWER_TOKENS,
    max_question_tokens: int | None = None,
    window_tokens: int | None = None,
    window_overlap: int | None = None,
    revision: str | None = None,
    no_answer: bool | None = None,
    calibration: bool | str | Path = True,
) -> SpanReader | CascadeReader:
    """Load a reader.

    Nothing is fetched unless `name_or_path` names a repository of the Hugging Face hub that is not
    in the local cache; ``HF_HUB_OFFLINE=1`` forbids that too.

    Args:
        name_or_path: ``"mini"``, ``"base"`` or ``"cascade"``, which ship with docqa: small and
            quick, strong, and both together, where ``base`` reads only the best passages of
            ``mini`` again (on a GPU all of them); ``"distilbert"``, which is
            distilbert/distilbert-base-cased-distilled-squad at a pinned revision; the folder of a
            checkpoint; or ``"owner/name"`` on the hub. Any extractive question-answering
            checkpoint with safetensors weights is read: DistilBERT, BERT, MPNet, RoBERTa,
            ModernBERT and others that put the question first.
        runtime: ``"torch"``, which runs every checkpoint on every device (the extra ``torch``);
            ``"onnx"`` for ONNX Runtime, which runs checkpoints that were packed for it (those that
            ship are; `docqa.reader.pack` packs) on CPUs; ``"auto"`` for ONNX Runtime where it can
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
    checkpoint = find_checkpoint(str(name_or_path), revision=revision)
    settings: ReaderSettings = {
        "runtime": runtime,
        "device": device,
        "dtype": dtype,
        "batch_tokens": batch_tokens,
        "max_answer_tokens": max_answer_tokens,
        "max_question_tokens": max_question_tokens,
        "window_tokens": window_tokens,
        "window_overlap": window_overlap,
        "no_answer": no_answer,
    }
    return (_cascade if checkpoint.parts else _span_reader)(checkpoint, calibration, settings)


class ReaderSettings(TypedDict, total=False):
    """The settings of `load_reader` that every part of a reader takes."""

    runtime: Runtime
    device: str
    dtype: str | None
    batch_tokens: int | None
    max_answer_tokens: int
    max_question_tokens: int | None
    window_tokens: int | None
    window_overlap: int | None
    no_answer: bool | None


def load_span_reader(
    name_or_path: str | Path, *, revision: str | None = None, **settings: Unpack[ReaderSettings]
) -> SpanReader:
    """Load a reader that is one model; see `load_reader`.

    Raises:
        ModelIncompatibleError: it is made of two readers.
        ModelError: it cannot be loaded.
    """
    checkpoint = find_checkpoint(str(name_or_path), revision=revision)
    if checkpoint.parts:
        raise ModelIncompatibleError(
            f"the reader {checkpoint.name!r} is made of {' and '.join(checkpoint.parts)}; name one "
            "of them"
        )
    return _span_reader(checkpoint, True, settings)


def _cascade(
    checkpoint: Checkpoint, calibration: bool | str | Path, settings: ReaderSettings
) -> CascadeReader:
    """Return a reader of two parts, whose weights are loaded when they are needed.

    With the second part on a GPU it reads everything, and the first one's are never loaded.
    """
    from docqa.reader.cascade_reader import CascadeReader

    quick, strong = map(find_checkpoint, checkpoint.parts)
    second = _span_reader(strong, False, settings, later=True)
    on_cpu = getattr(second.model, "device_type", "cpu") == "cpu"
    chosen = settings if on_cpu else settings | {"device": "cpu", "dtype": None}
    return CascadeReader(
        _span_reader(quick, False, chosen, later=True),
        second,
        passages_again=int(checkpoint.config["docqa"]["passages_again"]) if on_cpu else None,
        name=checkpoint.name,
        revision=checkpoint.revision,
        calibration=_calibration(checkpoint, calibration),
    )


def _span_reader(
    checkpoint: Checkpoint,
    calibration: bool | str | Path,
    settings: ReaderSettings,
    *,
    later: bool = False,
) -> SpanReader:
    from docqa.reader.runtimes import load_model
    from docqa.reader.span_reader import SpanReader

    tokenizer = load_tokenizer(checkpoint)
    model = load_model(
        checkpoint,
        separator_id=tokenizer.template.between[0],
        runtime=settings.get("runtime", "auto"),
        device=settings.get("device", "auto"),
        dtype=settings.get("dtype"),
        later=later,
    )
    window = _window(settings.get("window_tokens"), model)
    room = window - tokenizer.template.n_special
    question = _or_default(settings.get("max_question_tokens"), min(QUESTION_TOKENS, room // 2))
    overlap = min(_WINDOW_OVERLAP, (room - question) // 2)
    no_answer = settings.get("no_answer")
    return SpanReader(
        model,
        tokenizer,
        name=checkpoint.name,
        revision=checkpoint.revision,
        no_answer=knows_no_answer(checkpoint) if no_answer is None else no_answer,
        window_tokens=window,
        window_overlap=_or_default(settings.get("window_overlap"), overlap),
        max_question_tokens=question,
        max_answer_tokens=settings.get("max_answer_tokens", _ANSWER_TOKENS),
        batch_tokens=_or_default(
            settings.get("batch_tokens"), _BATCH_TOKENS.get(model.device_type, 4096)
        ),
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
        return min(WINDOW_TOKENS, model.max_tokens)
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
