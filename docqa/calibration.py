"""From the evidence of an answer to the probability that it is right.

A calibration has two weighted sums of a few named features, few enough to read and to check by
hand. The first, the ranking, is the strength of an answer: its log odds against "not here". The
second, which rests on the odds against all other answers, becomes the probability (Platt 1999,
"Probabilistic Outputs for Support Vector Machines"). A calibration belongs to the weights of one
reader and lies beside them as ``calibration.json``; ``docqa calibrate`` makes one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from docqa.datamodel import Evidence, logistic
from docqa.errors import ModelError, ModelNotFoundError

__all__ = [
    "CALIBRATION_FILE",
    "FEATURES",
    "UNCALIBRATED",
    "USUAL_RANKING",
    "USUAL_RANKING_BIAS",
    "Calibration",
]

CALIBRATION_FILE = "calibration.json"
_FORMAT = 2
_UNRANKED_FORMAT = 1  # without a ranking of its own; still read

FEATURES = tuple(each.name for each in fields(Evidence))

# Chosen on the PDF questions: docs/measurements/answers.md and docs/measurements/tables.md. The
# bias makes the strength of an answer outside tables, in the best passage, its margin.
USUAL_RANKING: Mapping[str, float] = {"margin": 1.0, "relevance": 6.0, "headings": 24.0}
USUAL_RANKING_BIAS = -30.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The strength and the probability of an answer, from its evidence.

    Attributes:
        bias: is added to the sum that becomes the probability.
        weights: of that sum, by name of a feature; the others do not count.
        revision: of the reader's weights that it was fitted to; ``""`` where that is unknown.
        fitted: on what, and how well it does, for whoever looks into the file.
        ranking: weights of the strength, by name of a feature; never of the odds, which are made
            of strengths.
        ranking_bias: is added to the strength.

    Raises:
        ModelError: a feature is unknown, the ranking weighs the odds, or a number is not finite.

    >>> evidence = Evidence(
    ...     margin=2.0, odds=1.5, relevance=0.5, coverage=0.8, span_logit=7.0, headings=1.0
    ... )
    >>> calibration = Calibration(bias=-1.0, weights={"margin": 0.5})
    >>> calibration.probability(evidence), calibration.strength(evidence)
    (0.5, -1.0)
    """

    bias: float
    weights: Mapping[str, float]
    revision: str = ""
    fitted: Mapping[str, Any] = field(default_factory=dict)
    ranking: Mapping[str, float] = field(default_factory=lambda: dict(USUAL_RANKING))
    ranking_bias: float = USUAL_RANKING_BIAS

    def __post_init__(self) -> None:
        unknown = sorted({*self.weights, *self.ranking} - set(FEATURES))
        if unknown:
            raise ModelError(
                f"a calibration weighs {', '.join(unknown)}, which this version of docqa does not "
                f"know; it knows {', '.join(FEATURES)}"
            )
        if "odds" in self.ranking:
            raise ModelError(
                "a calibration ranks by the odds, which the ranking makes; fit it again"
            )
        numbers = self.bias, *self.weights.values(), self.ranking_bias, *self.ranking.values()
        if not all(map(math.isfinite, numbers)):
            raise ModelError("a number of the calibration is not finite; fit it again")

    def strength(self, evidence: Evidence) -> float:
        """Return the log odds of an answer with this evidence against "not here"."""
        return self.strength_of(lambda name: float(getattr(evidence, name)))

    def strength_of(self, feature: Callable[[str], float]) -> float:
        """Return the log odds of features against "not here"; only weighted ones are asked for."""
        return _sum(self.ranking_bias, self.ranking, feature)

    def probability(self, evidence: Evidence) -> float:
        """Return the probability that an answer with this evidence is right, in 0 to 1."""
        return self.probability_of(lambda name: float(getattr(evidence, name)))

    def probability_of(self, feature: Callable[[str], float]) -> float:
        """Return the probability of features; only weighted ones are asked for."""
        return logistic(_sum(self.bias, self.weights, feature))

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
        if said.get("format") not in (_UNRANKED_FORMAT, _FORMAT):
            raise ModelError(f"no calibration of format {_FORMAT}; {_AGAIN}")
        revision, fitted = said.get("revision", ""), said.get("fitted", {})
        if not isinstance(revision, str) or not isinstance(fitted, dict):
            raise ModelError(f'"revision" is to be text and "fitted" an object; {_AGAIN}')
        made = cls(*_weighing(said, "bias", "weights"), revision, fitted)
        if said["format"] == _UNRANKED_FORMAT:
            return made
        bias, ranking = _weighing(said, "ranking_bias", "ranking")
        return replace(made, ranking=ranking, ranking_bias=bias)


# The scores of a reader without a calibration: the logistic function of the strength.
UNCALIBRATED = Calibration(USUAL_RANKING_BIAS, USUAL_RANKING)

_AGAIN = "make it again with docqa calibrate, or remove the file"


def _sum(bias: float, weights: Mapping[str, float], feature: Callable[[str], float]) -> float:
    return math.fsum((bias, *(weight * feature(name) for name, weight in weights.items())))


def _weighing(
    said: Mapping[str, Any], bias_name: str, weights_name: str
) -> tuple[float, dict[str, float]]:
    """Return the bias and the weights of a sum that a file holds under these names."""
    bias, weights = said.get(bias_name), said.get(weights_name)
    if not isinstance(weights, dict) or not all(map(_is_number, (bias, *weights.values()))):
        raise ModelError(
            f'"{bias_name}" is to be a number and "{weights_name}" numbers by name; {_AGAIN}'
        )
    return float(said[bias_name]), {name: float(weight) for name, weight in weights.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
