"""Optional packages: which are missing, and how they are installed."""

from __future__ import annotations

from importlib.util import find_spec

from docqa.errors import MissingDependencyError

__all__ = ["TORCH_PACKAGES", "is_installed", "require"]

TORCH_PACKAGES = "torch", "transformers", "safetensors"  # the extra torch


def is_installed(package: str) -> bool:
    """Say whether a package can be found; it is not imported."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def require(what: str, *packages: str, extra: str = "torch") -> None:
    """Check that packages are installed.

    Args:
        what: needs them, as the message's subject.
        packages: names to import.
        extra: of docqa, which brings them.

    Raises:
        MissingDependencyError: one is missing; the message has the line that installs it.
    """
    missing = [package for package in packages if not is_installed(package)]
    if missing:
        raise MissingDependencyError(
            f"{what} needs {' and '.join(missing)}: pip install 'docqa-exact[{extra}]'"
        )
