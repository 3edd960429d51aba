"""From the evidence of an answer to the probability that it is right.

A calibration is a logistic regression of a few named features (Platt 1999, "Probabilistic Outputs
for Support Vector Machines", with more than one): a bias and a weight each, few enough to read and
to check by hand. It belongs to the weights of one reader and lies beside them as
``calibration.json``; ``docqa calibrate`` makes one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from docqa.datamodel import Evidence, logistic
from docqa.errors import ModelError, ModelNotFoundError

__all__ = ["CALIBRATION_FILE", "FEATURES", "Calibration"]

CALIBRATION_FILE = "calibration.json"
_FORMAT = 1


FEATURES = tuple(each.name for each in fields(Evidence))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A probability from evidence: the logistic function of a weighted sum.

    Attributes:
        bias: is added to the sum.
        weights: by name of a feature; the others do not count.
        revision: of the reader's weights that it was fitted to; ``""`` where that is unknown.
        fitted: on what, and how well it does, for whoever looks into the file.

    Raises:
        ModelError: a feature is unknown, or a number is not finite.

    >>> evidence = Evidence(margin=2.0, odds=1.5, relevance=1.0, coverage=0.8)
    >>> Calibration(bias=-1.0, weights={"margin": 0.5}).probability(evidence)
    0.5
    """

    bias: float
    weights: Mapping[str, float]
    revision: str = ""
    fitted: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(FEATURES))
        if unknown:
            raise ModelError(
                f"a calibration weighs {', '.join(unknown)}, which this version of docqa does not "
                f"know; it knows {', '.join(FEATURES)}"
            )
        if not all(map(math.isfinite, (self.bias, *self.weights.values()))):
            raise ModelError("a number of the calibration is not finite; fit it again")

    def probability(self, evidence: Evidence) -> float:
        """Return the probability that an answer with this evidence is right, in 0 to 1."""
        return self.probability_of(lambda name: float(getattr(evidence, name)))

    def probability_of(self, feature: Callable[[str], float]) -> float:
        """Return the probability of features; only weighted ones are asked for."""
        parts = (weight * feature(name) for name, weight in self.weights.items())
        return logistic(math.fsum((self.bias, *parts)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"format": _FORMAT, **asdict(self)}

    def to_json(self) -> str:
        """Return the content of a calibration file."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the calibration as JSON.

        Raises:
            ModelError: the file cannot be written.
        """
        try:
            path.write_text(self.to_json(), "utf-8")
        except OSError as error:
            raise ModelError(f"{path} cannot be written: {error.strerror or error}") from error

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Return the calibration of a file that `write` wrote.

        Raises:
            ModelNotFoundError: there is no such file.
            ModelError: it holds no calibration that this version of docqa can apply.
        """
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise ModelNotFoundError(f"there is no calibration {path}") from error
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{path} is not JSON ({error}); {_AGAIN}") from error
        try:
            return cls._of(content)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error

    @classmethod
    def _of(cls, content: Any) -> Calibration:
        said: dict[str, Any] = content if isinstance(content, dict) else {}
        if said.get("format") != _FORMAT:
            raise ModelError(f"no calibration of format {_FORMAT}; {_AGAIN}")
        bias, weights = said.get("bias"), said.get("weights")
        if not isinstance(weights, dict) or not all(map(_is_number, (bias, *weights.values()))):
            raise ModelError(f'"bias" is to be a number and "weights" numbers by name; {_AGAIN}')
        revision, fitted = said.get("revision", ""), said.get("fitted", {})
        if not isinstance(revision, str) or not isinstance(fitted, dict):
            raise ModelError(f'"revision" is to be text and "fitted" an object; {_AGAIN}')
        return cls(float(said["bias"]), {k: float(v) for k, v in weights.items()}, revision, fitted)


_AGAIN = "make it again with docqa calibrate, or remove the file"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
