"""Store a checkpoint as 8-bit rows: ``python -m docqa.reader.pack SRC DST``.

SRC is a folder with ``model.safetensors``, ``config.json`` and ``tokenizer.json``; DST gets
the same three, the weights as `docqa.reader.quantized` describes. `load_reader(DST)` reads them. A
calibration of former weights in DST is removed: ``docqa calibrate`` makes one for the new ones.
The shipped ``mini`` was made by this module.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

from docqa.calibration import CALIBRATION_FILE
from docqa.errors import ModelNotFoundError

__all__ = ["pack", "weights_revision"]

_CONFIG_LEFT_OUT = ("dtype", "torch_dtype", "transformers_version", "_name_or_path")


def pack(source: Path, target: Path, *, no_answer: bool) -> int:
    """Write the checkpoint in `source` to the folder `target` with 8-bit rows.

    Args:
        source: folder with ``model.safetensors``, ``config.json`` and ``tokenizer.json``.
        target: folder to write to; made when missing.
        no_answer: the model was trained with unanswerable questions; written to the config.

    Returns:
        Bytes written.

    Raises:
        ModelNotFoundError: a file of `source` is missing.
    """
    from safetensors.torch import load_file, save_file

    from docqa.reader.quantized import FORMAT, quantize

    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        if not (source / name).is_file():
            raise ModelNotFoundError(f"{source / name} is missing; pack needs it")
    target.mkdir(parents=True, exist_ok=True)
    (target / CALIBRATION_FILE).unlink(missing_ok=True)
    config = json.loads((source / "config.json").read_text("utf-8"))
    config = {key: value for key, value in config.items() if key not in _CONFIG_LEFT_OUT}
    weights = quantize(load_file(source / "model.safetensors"))
    save_file(weights, target / "model.safetensors", metadata={"format": FORMAT})
    config["docqa"] = {
        "no_answer": no_answer,
        "revision": weights_revision(target / "model.safetensors"),
    }
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    tokenizer = json.loads((source / "tokenizer.json").read_text("utf-8"))
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (target / "tokenizer.json").write_text(text + "\n", "utf-8")
    written = ("model.safetensors", "config.json", "tokenizer.json")
    return sum((target / name).stat().st_size for name in written)


def weights_revision(weights: Path) -> str:
    """Return what names a file of weights in records: the start of its SHA-256.

    Written once, when the weights are, so that no start of a reader has to hash them.
    """
    return f"sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()[:16]}"


def main(arguments: list[str] | None = None) -> int:
    """Pack the checkpoint that the command line names; the exit status is 0."""
    parser = argparse.ArgumentParser(prog="python -m docqa.reader.pack", description=__doc__)
    parser.add_argument("source", type=Path, metavar="SRC", help="folder of the checkpoint")
    parser.add_argument("target", type=Path, metavar="DST", help="folder to write to")
    parser.add_argument(
        "--no-answer",
        action="store_true",
        help="the model was trained with unanswerable questions",
    )
    given = parser.parse_args(arguments)
    pack(given.source, given.target, no_answer=given.no_answer)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
