"""The tokenizer of a checkpoint, from the files beside its weights."""

from __future__ import annotations

from typing import Any

from docqa.errors import ModelIncompatibleError, ModelNotFoundError
from docqa.reader.checkpoints import Checkpoint
from docqa.reader.requirements import require
from docqa.reader.tokenizer import FastTokenizer

__all__ = ["load_tokenizer"]

_SAVE_TOKENIZER = (
    "save the tokenizer beside the weights: "
    "transformers.AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER)"
)


def load_tokenizer(checkpoint: Checkpoint) -> FastTokenizer:
    """Load the tokenizer that lies beside a checkpoint's weights.

    Raises:
        ModelNotFoundError: it has none.
        ModelIncompatibleError: it cannot be read, or does not belong to the weights.
    """
    from tokenizers import Tokenizer as Backend

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
