"""run, web, worker: the two processes."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import click

from app.cli.common import F, data_option, opened
from app.errors import LetterbookError
from app.settings import Settings

WORKER_GOES_SECONDS = 20


def address_options(command: F) -> F:
    """--host and --port."""
    command = click.option(
        "--port", type=click.IntRange(1, 65535), help="LETTERBOOK_PORT; default 8000."
    )(command)
    return click.option("--host", help="LETTERBOOK_HOST; default 127.0.0.1.")(command)


@click.command()
@data_option
@address_options
def run(settings: Settings, host: str | None, port: int | None) -> None:
    """Serve the pages and read the mailboxes: web and worker together."""
    settings = _at(settings, host, port)
    log_to_stderr(settings)
    serve_with_worker(settings)


def serve_with_worker(settings: Settings, *, is_demo: bool = False) -> None:
    """Run the two processes until the web is stopped. Exits with 1 if the worker failed.

    `is_demo` lets people sign in with a click, from this machine only.
    """
    with bound(settings) as listener:
        child = subprocess.Popen(  # noqa: S603  # our own worker, no shell
            [
                *(sys.executable, "-m", "app.cli", "worker"),
                *("--data", str(settings.data), "--parent", str(os.getpid())),
            ],
            start_new_session=True,  # Ctrl-C reaches the web only, which then stops the worker
        )
        threading.Thread(target=_leave_with, args=(child,), daemon=True).start()
        try:
            _serve(settings, listener, is_demo=is_demo)
        finally:
            _stop(child)
    if child.returncode not in (0, -signal.SIGTERM):
        sys.exit(1)


@click.command()
@data_option
@address_options
def web(settings: Settings, host: str | None, port: int | None) -> None:
    """Serve the pages only."""
    settings = _at(settings, host, port)
    log_to_stderr(settings)
    with bound(settings) as listener:
        _serve(settings, listener)


@click.command()
@data_option
@click.option("--parent", type=int, hidden=True, help="Stop when this process is gone.")
def worker(settings: Settings, parent: int | None) -> None:
    """Read the mailboxes and write the index only."""
    log_to_stderr(settings)
    from app.jobs import run_worker

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if parent:
        threading.Thread(target=_watch_parent, args=(parent, stop), daemon=True).start()
    run_worker(settings, stop)


def _at(settings: Settings, host: str | None, port: int | None) -> Settings:
    """The settings with the command line's host and port before the environment's."""
    if host is None and port is None:
        return settings
    return Settings.from_env(data=settings.data, host=host, port=port)


def bound(settings: Settings) -> socket.socket:
    """The listening socket, so that a port in use is said before anything starts."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With the protocol named: asyncio sets TCP_NODELAY only where it stands, and without it
        # the second piece of each answer waits 40 ms for the browser's delayed acknowledgement.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        raise LetterbookError(
            f"Cannot listen on {settings.host} port {settings.port} ({exc.strerror or exc}). "
            "Stop what uses it, or choose another with --port."
        ) from exc
    return listener


def _serve(settings: Settings, listener: socket.socket, *, is_demo: bool = False) -> None:
    import uvicorn

    from app.main import LONGEST_HEAD, create_app

    code = _set_up_code(settings)
    app = create_app(settings, set_up_code=code, is_demo=is_demo)
    click.echo(f"Letterbook: {settings.public_url} (data in {settings.data}; Ctrl-C stops it)")
    if code:
        click.echo(
            f"Nobody is set up yet: open {settings.public_url}. If it asks for a code: {code}"
        )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=5,
        # An open tab asks every 5 seconds: with uvicorn's own 5 each time over a new connection.
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    # uvicorn raises the signal anew when it has stopped; what follows it must still be done.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])


def _set_up_code(settings: Settings) -> str:
    """The code that lets the first person in from elsewhere; "" where somebody is there."""
    from app import people

    with opened(settings, may_begin=True) as store:
        return people.new_code() if people.needs_set_up(store) else ""


def _leave_with(child: "subprocess.Popen[bytes]") -> None:
    """Stop the web when the worker ends by itself: half a Letterbook looks like a whole one."""
    if child.wait() not in (0, -signal.SIGTERM, -signal.SIGKILL):
        click.echo("letterbook: the worker ended, see above; stopping.", err=True)
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(WORKER_GOES_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _watch_parent(parent: int, stop: threading.Event) -> None:
    """Stop when `run` is gone without having said so: a killed web leaves no worker behind."""
    while os.getppid() == parent and not stop.is_set():
        time.sleep(1)
    stop.set()


def log_to_stderr(settings: Settings) -> None:
    """The log, for people and journals: times, levels, ids and counts."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("uvicorn", "imapclient", "httpx", "httpcore", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
