"""Find a reader's files: the shipped one, a folder, or a repository of the Hugging Face hub."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docqa.errors import ModelIncompatibleError, ModelNotFoundError

__all__ = ["SHIPPED", "Checkpoint", "find_checkpoint", "weights_layout", "weights_revision"]

SHIPPED = {name: Path(__file__).with_name(name) for name in ("mini", "base", "cascade")}
_DISTILBERT = (
    "distilbert/distilbert-base-cased-distilled-squad",
    "564e9b582944a57a3e586bbb98fd6f0a4118db7f",
)
# Short names, and the revision that each is pinned to.
_HUB_NAMES = {
    "distilbert": _DISTILBERT,
    "distilbert-base-cased-distilled-squad": _DISTILBERT,
    _DISTILBERT[0]: _DISTILBERT,
}
_FILES_WANTED = [
    "config.json",
    "calibration.json",
    "*.onnx",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "*.model",
]


_PARTS = 2  # of a reader that is made of others
_LONGEST_HEAD = 100_000_000  # bytes, the format's own limit


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The places of a reader's files, and the content of its configuration.

    Attributes:
        name: as the caller gave it.
        revision: the hub's commit, or what ``config.json`` says of packed weights under
            ``{"docqa": {"revision": …}}``, else ``""``.
        folder: holds ``config.json``, safetensors weights and the tokenizer.
        config: the content of ``config.json``.

    A reader made of two others has a ``config.json`` alone, which names them under ``{"docqa":
    {"readers": […], "passages_again": …}}``, and a revision joined of theirs.
    """

    name: str
    revision: str
    folder: Path
    config: dict[str, Any]

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the names of the readers that it is made of; none where it is one model."""
        return tuple(self.config.get("docqa", {}).get("readers", ()))

    @property
    def weights(self) -> Path:
        """Return the path of the weights, where they lie in one file."""
        return self.folder / "model.safetensors"


def weights_revision(weights: Path) -> str:
    """Return the name of a file of weights in records: the start of its SHA-256.

    Written once, when the weights are, so that no start of a reader has to hash them.
    """
    return f"sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()[:16]}"


def weights_layout(weights: Path) -> str:
    """Return the name of a layout of weights: the file's size and a hash of its head.

    The head (https://huggingface.co/docs/safetensors, "Format") has the type, shape and place of
    every weight, so that a graph that refers to places belongs to files of one layout alone.
    """
    with weights.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        head = file.read(min(length, _LONGEST_HEAD))
    return f"{weights.stat().st_size}:{hashlib.sha256(head).hexdigest()[:16]}"


def find_checkpoint(name: str, *, revision: str | None = None) -> Checkpoint:
    """Find the files of a reader, fetching them only when `name` is a hub repository.

    Args:
        name: ``"mini"``, ``"base"``, ``"cascade"``, ``"distilbert"``, a folder, or
            ``"owner/name"`` on the hub.
        revision: commit, tag or branch on the hub; None for the pinned one of a short name, else
            the repository's main branch.

    Raises:
        ModelNotFoundError: no such folder or repository, or a file is missing in it.
        ModelIncompatibleError: its files are of a kind that is not read.
    """
    if name in SHIPPED:
        return _in_folder(name, SHIPPED[name], "")
    if Path(name).expanduser().is_dir():
        return _in_folder(name, Path(name).expanduser(), "")
    repository, pinned = _HUB_NAMES.get(name, (name, None))
    if not _is_repository(repository):
        raise ModelNotFoundError(
            f"no reader {name!r}: it is neither a folder here nor one of 'mini', 'base', "
            "'cascade' and 'distilbert'; repositories of the hub are named 'owner/name'"
        )
    folder = _fetch(repository, revision or pinned)
    return _in_folder(name, folder, folder.name)


def _is_repository(name: str) -> bool:
    owner, slash, rest = name.partition("/")
    parts = owner, rest
    return bool(slash) and all(part.strip(".~-") and "/" not in part for part in parts)


def _in_folder(name: str, folder: Path, revision: str) -> Checkpoint:
    config_file = folder / "config.json"
    if not config_file.is_file():
        raise ModelNotFoundError(
            f"{config_file} is missing; the reader {name!r} needs config.json, model.safetensors "
            "and tokenizer.json in one folder"
        )
    try:
        config = json.loads(config_file.read_text("utf-8"))
    except ValueError as error:
        raise ModelIncompatibleError(f"{config_file} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelIncompatibleError(f"{config_file} holds no JSON object")
    said = config.get("docqa", {})
    if parts := _parts(config, config_file):
        revisions = [find_checkpoint(part).revision for part in parts]
        return Checkpoint(name, "+".join(revisions) if all(revisions) else "", folder, config)
    _check_weights(name, folder)
    return Checkpoint(name, revision or str(said.get("revision", "")), folder, config)


def _parts(config: dict[str, Any], config_file: Path) -> list[str]:
    """Return the names of the readers that a reader is made of; none where it is one model."""
    said = config.get("docqa", {})
    if "readers" not in said:
        return []
    parts, again = said["readers"], said.get("passages_again")
    names = isinstance(parts, list) and all(isinstance(part, str) for part in parts)
    if not names or len(parts) != _PARTS or type(again) is not int or again < 1:
        raise ModelIncompatibleError(
            f"{config_file} must name two readers under 'docqa', 'readers', and how many passages "
            "the second one reads under 'passages_again'"
        )
    return [str(part) for part in parts]


def _check_weights(name: str, folder: Path) -> None:
    if any((folder / f"model.safetensors{end}").is_file() for end in ("", ".index.json")):
        return
    pickled = sorted(folder.glob("pytorch_model*.bin"))
    if pickled:
        raise ModelIncompatibleError(
            f"{folder} holds {pickled[0].name} but no model.safetensors; docqa reads safetensors "
            "only, since loading a pickle runs code. Convert it where you trust it: load it with "
            "transformers.AutoModelForQuestionAnswering.from_pretrained(FOLDER) and call "
            "save_pretrained(FOLDER)"
        )
    raise ModelNotFoundError(
        f"{folder / 'model.safetensors'} is missing; the reader {name!r} needs config.json, "
        "model.safetensors and tokenizer.json in one folder"
    )


def _fetch(repository: str, revision: str | None) -> Path:
    """Return the folder of a hub repository's files, from the local cache where they are there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    at = f"{repository!r}" + (f" at revision {revision}" if revision else "")
    if cached := _cached(repository, revision):
        return cached
    try:
        with _quiet_client():
            wanted = snapshot_download(repository, revision=revision, allow_patterns=_FILES_WANTED)
        return Path(wanted)
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise ModelNotFoundError(
            f"no reader {at}: there is no such folder here, and the hub has no such repository, "
            "revision, or access for you; check the spelling"
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
        raise ModelNotFoundError(
            f"the files of {at} are not all in the local cache and the hub cannot be reached; "
            "connect once to fetch them (and unset HF_HUB_OFFLINE), or copy config.json, "
            "model.safetensors and tokenizer.json into a folder and give its path"
        ) from error


@contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep the hub client's lines on retries off the terminal; the last failure is raised.

    An application that logs at level INFO or below (as with ``--debug``) sees them all the same.
    """
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    if not logging.getLogger().isEnabledFor(logging.INFO):
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _cached(repository: str, revision: str | None) -> Path | None:
    """Return the cached folder of a full commit hash, which nothing on the hub can change."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if not revision or not re.fullmatch("[0-9a-f]{40}", revision):
        return None
    try:
        folder = Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    needed = "config.json", "model.safetensors", "tokenizer.json"
    return folder if all((folder / name).is_file() for name in needed) else None
