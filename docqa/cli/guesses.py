"""Groups of commands that say which command a misspelt one may be."""

from __future__ import annotations

import difflib

import click

__all__ = ["GuessingGroup"]


class GuessingGroup(click.Group):
    """A group that guesses at a command that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command's name, the command and its arguments.

        Raises:
            click.UsageError: there is none; the message names the nearest ones.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(self._advice(args[0], ctx), ctx) from error

    def _advice(self, name: str, ctx: click.Context) -> str:
        names = self.list_commands(ctx)
        close = difflib.get_close_matches(name.lower(), names, n=2)
        guess = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names)}"
        return f"no such command {name!r}; {guess}"
