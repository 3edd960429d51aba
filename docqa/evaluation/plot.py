"""One picture of how far scores can be trusted: reliability, and risk at coverage.

Drawn by matplotlib, which is imported when it is used; no window is opened and no global setting
of matplotlib is changed.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docqa.errors import MissingDependencyError, SettingError
from docqa.evaluation.report import EvaluationReport
from docqa.showing.new_file import require_writable, write_new_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_calibration", "require_plot"]

_FORMATS = {".svg": "svg", ".png": "png"}
# Okabe and Ito 2008, "Color Universal Design": told apart by colour-blind readers too.
_BLUE, _VERMILION, _GREY = "#0072b2", "#d55e00", "#777777"
_INCHES = (10.0, 4.6)
_DOTS_PER_INCH = 150


def require_plot(path: str | Path) -> Path:
    """Return the path of a plot after checking, before any work, that it can be drawn there.

    Raises:
        SettingError: its suffix is not ``.svg`` or ``.png``.
        HighlightError: no file can be made there.
        MissingDependencyError: matplotlib is missing.
    """
    file = Path(path).expanduser()
    if file.suffix.lower() not in _FORMATS:
        raise SettingError(f"{file}: a plot is written as .svg or .png; choose one of these")
    require_writable(file)
    _figure_class()
    return file


def plot_calibration(report: EvaluationReport, path: str | Path) -> Path:
    """Draw the reliability diagram and the risk-coverage curve of a report; return the path.

    Raises:
        SettingError: the suffix is not ``.svg`` or ``.png``.
        HighlightError: the file cannot be written.
        MissingDependencyError: matplotlib is missing.
    """
    file = require_plot(path)
    import matplotlib as mpl

    kind, data = _FORMATS[file.suffix.lower()], io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "docqa", "svg.fonttype": "none", "font.size": 9}):
        figure = _drawn(report)
        metadata = {"Date": None} if kind == "svg" else {}  # the same report gives the same file
        figure.savefig(data, format=kind, dpi=_DOTS_PER_INCH, metadata=metadata)
    write_new_file(file, data.getvalue())
    return file


def _figure_class() -> type[Figure]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            'drawing needs matplotlib; install it with: pip install "docqa-exact[plot]"'
        ) from error
    return Figure


def _drawn(report: EvaluationReport) -> Figure:
    figure = _figure_class()(figsize=_INCHES, layout="constrained")
    reliability, risk = figure.subplots(1, 2)
    figure.suptitle(f"{report.data}: {report.questions:,} questions, reader {report.reader.name}")
    _draw_reliability(reliability, report)
    _draw_risk(risk, report)
    return figure


def _draw_reliability(axes: Any, report: EvaluationReport) -> None:
    """Draw share right against mean score, each bin as a dot with the area of its count."""
    found = report.calibration
    table = found.table
    total = sum(each.count for each in table)
    scores = [each.mean_score for each in table]
    right = [each.share_right for each in table]
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1, label="as promised")
    axes.vlines(scores, scores, right, color=_VERMILION, linewidth=1, label="gap")
    areas = [max(8.0, 300.0 * each.count / total) for each in table]
    axes.scatter(scores, right, s=areas, color=_BLUE, alpha=0.8, zorder=3, clip_on=False)
    axes.plot(scores, right, "o-", color=_BLUE, markersize=2, linewidth=1, label="bin, by its size")
    axes.set(
        title=f"Reliability: ECE {found.ece:.3f}, Brier {found.brier:.3f}",
        xlabel="mean score of the answers in a bin",
        ylabel="share of them that are right (EM)",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
        aspect="equal",
    )
    axes.legend(loc="upper left", frameon=False)


def _draw_risk(axes: Any, report: EvaluationReport) -> None:
    """Draw the share of wrong answers against the share of questions answered."""
    found = report.calibration
    coverage, risk = [each.coverage for each in found.curve], [each.risk for each in found.curve]
    axes.plot(coverage, risk, color=_BLUE, linewidth=1.5)
    axes.fill_between(coverage, risk, color=_BLUE, alpha=0.12)
    passing = [each for each in found.curve if each.threshold >= report.min_score]
    if passing:
        last = passing[-1]
        axes.plot(last.coverage, last.risk, "o", color=_VERMILION)
        axes.annotate(
            f"score ≥ {report.min_score:g}",
            (last.coverage, last.risk),
            xytext=(-6, 8),
            textcoords="offset points",
            horizontalalignment="right",
            color=_VERMILION,
        )
    axes.set(
        title=f"Risk and coverage: AURC {found.aurc:.3f}",
        xlabel="share of the questions answered, surest first",
        ylabel="share of these answers that are wrong",
        xlim=(0, 1.02),
        ylim=(0, max(0.05, *risk) * 1.1),
    )
