"""Frameworks of `docqa.adapters`, whose tests are skipped where one is missing."""

from __future__ import annotations

import os
import warnings
from importlib import import_module

import pytest

__all__ = ["require_framework"]


def require_framework(*modules: str, extra: str = "test-adapters") -> None:
    """Skip the calling test module where a framework is missing; what it warns of is its own."""
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"  # read when Haystack is imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in modules:
            try:
                import_module(module)
            except ImportError:
                reason = f'{module} is missing: pip install "docqa-exact[{extra}]"'
                pytest.skip(reason, allow_module_level=True)
