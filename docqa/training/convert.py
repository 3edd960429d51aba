"""A BERT encoder as a DistilBERT one: ``docqa train convert SRC DST``.

DistilBERT is BERT without token types and without a pooler (Sanh et al. 2019, section 3). An
encoder that only ever sees the first token type is one already: that type's vector is added to
every position's, and the pooler is left out. The hidden states stay the same up to rounding.

The start of the shipped ``mini``, all-MiniLM-L6-v2, was made by this module.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.errors import ModelIncompatibleError, ModelNotFoundError
from docqa.reader.requirements import TORCH_PACKAGES, require

if TYPE_CHECKING:
    import torch

__all__ = ["convert"]

_NAMES = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)")
_TYPES = "embeddings.token_type_embeddings.weight"
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)


def convert(source: Path, target: Path) -> None:
    """Write the BERT encoder in `source` as a DistilBERT encoder to `target`.

    Args:
        source: folder with ``config.json``, ``model.safetensors`` and the tokenizer.
        target: folder to write to; made when missing.

    Raises:
        ModelNotFoundError: a file of `source` is missing.
        ModelIncompatibleError: it is no BERT encoder, or has weights that DistilBERT lacks.
        MissingDependencyError: the extra ``torch`` is not installed.
    """
    require("converting a checkpoint", *TORCH_PACKAGES)
    from safetensors.torch import load_file, save_file

    for name in ("config.json", "model.safetensors"):
        if not (source / name).is_file():
            raise ModelNotFoundError(f"{source / name} is missing; converting needs it")
    config = json.loads((source / "config.json").read_text("utf-8"))
    made = _config(config)
    weights = _weights(load_file(source / "model.safetensors"))
    target.mkdir(parents=True, exist_ok=True)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    (target / "config.json").write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    for name in _TOKENIZER_FILES:
        if (source / name).is_file():
            (target / name).write_bytes((source / name).read_bytes())


def _config(config: dict[str, Any]) -> dict[str, Any]:
    plain = config.get("position_embedding_type", "absolute") == "absolute"
    if config.get("model_type") != "bert" or not plain or config.get("layer_norm_eps") != 1e-12:
        raise ModelIncompatibleError(
            "only BERT encoders with absolute positions and a layer_norm_eps of 1e-12 are "
            f"DistilBERT under other names; this one is a {config.get('model_type')!r} with "
            f"layer_norm_eps {config.get('layer_norm_eps')}"
        )
    return {
        "architectures": ["DistilBertModel"],
        "model_type": "distilbert",
        "vocab_size": config["vocab_size"],
        "max_position_embeddings": config["max_position_embeddings"],
        "dim": config["hidden_size"],
        "hidden_dim": config["intermediate_size"],
        "n_layers": config["num_hidden_layers"],
        "n_heads": config["num_attention_heads"],
        "activation": config["hidden_act"],
        "dropout": config["hidden_dropout_prob"],
        "attention_dropout": config["attention_probs_dropout_prob"],
        "pad_token_id": config["pad_token_id"],
        "sinusoidal_pos_embds": False,
    }


def _weights(bert: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    bert = {name.removeprefix("bert."): tensor for name, tensor in bert.items()}
    made: dict[str, torch.Tensor] = {}
    for name, tensor in bert.items():
        if name == _TYPES or name.startswith("pooler.") or name.endswith("position_ids"):
            continue
        if match := _LAYER.fullmatch(name):
            number, part, kind = match.groups()
            if part not in _NAMES:
                raise ModelIncompatibleError(f"DistilBERT has no place for the weight {name}")
            made[f"transformer.layer.{number}.{_NAMES[part]}.{kind}"] = tensor.contiguous()
        elif name.startswith("embeddings."):
            made[name] = tensor.contiguous()
        else:
            raise ModelIncompatibleError(f"DistilBERT has no place for the weight {name}")
    positions = "embeddings.position_embeddings.weight"
    made[positions] = (made[positions] + bert[_TYPES][0]).contiguous()
    return {f"distilbert.{name}": tensor for name, tensor in made.items()}
