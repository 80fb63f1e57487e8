"""The command line: product.md section 9. Reads words, calls one verb, prints.

Errors go to stderr with exit status 1 (usage: 2), never a traceback.
"""

import errno
from typing import IO

import click

from app.cli.backup import backup, restore
from app.cli.bench import bench
from app.cli.care import reindex, status, verify
from app.cli.demo import demo
from app.cli.mail import file_command, purge_command, raw, search, suggest, sync
from app.cli.serve import run, web, worker
from app.cli.team import account, record, role, team, user
from app.cli.transfer import export_command, import_command
from app.errors import LetterbookError


class _Sentences(click.Group):
    """Turns our errors into one sentence and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except LetterbookError as exc:
            raise _Failure(str(exc) or "There is no such thing, or not for this person.") from exc
        except OSError as exc:
            if exc.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _Failure(f"There is no room left on the disk ({exc}). Make room.") from exc
            if exc.filename:
                raise _Failure(f"{exc.filename} cannot be used ({exc.strerror}).") from exc
            raise


class _Failure(click.ClickException):
    def show(self, file: IO[str] | None = None) -> None:
        click.echo(f"letterbook: {self.message}", err=True)


@click.group(cls=_Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="letterbook")
def letterbook() -> None:
    """A searchable archive of a team's e-mail."""


for _command in (
    run,
    web,
    worker,
    user,
    role,
    record,
    account,
    team,
    sync,
    import_command,
    export_command,
    search,
    suggest,
    file_command,
    purge_command,
    raw,
    status,
    verify,
    reindex,
    backup,
    restore,
    bench,
    demo,
):
    letterbook.add_command(_command)


def main() -> None:
    """The console script `letterbook`."""
    letterbook()
