"""The version of docqa, for the build, the command and every record that names it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
