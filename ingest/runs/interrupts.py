"""Ctrl-C and `docker stop` reach a run that waits for a server."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import psycopg2
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

STOPS = (signal.SIGINT, signal.SIGTERM)
PATIENCE_SECONDS = 3  # for servers to end what they are at; docker stop has ten


@contextmanager
def cancel_on_stop() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt in the block at once, not when the server has answered.

    While psycopg2 waits for a server Python handles no signal. But its number is written to the wake-up descriptor, on
    which a thread waits that cancels what the connections are at, and hangs up on a server that does not listen; the
    statement then fails, and the signal is handled.
    """
    stopped, ended = threading.Event(), threading.Event()
    waiting = [connections[alias] for alias in connections]
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def cancel() -> None:
        while received := reader.recv(64):
            if any(stop in received for stop in STOPS):
                # Apart, as a server that is out of order may leave this unanswered, too. But waited for, so that what
                # comes afterwards, such as the record of the stop, is not cancelled as well.
                cancels = [threading.Thread(target=_cancel, args=[one], daemon=True) for one in waiting]
                for cancelling in cancels:
                    cancelling.start()
                patience_ends = time.monotonic() + PATIENCE_SECONDS
                for cancelling in cancels:
                    cancelling.join(max(0, patience_ends - time.monotonic()))
                if not ended.wait(max(0, patience_ends - time.monotonic())):
                    for connection in waiting:
                        _hang_up(connection)

    def interrupt(number: int, frame: object) -> NoReturn:
        stopped.set()
        raise KeyboardInterrupt

    thread = threading.Thread(target=cancel, daemon=True)
    handlers = {stop: signal.signal(stop, interrupt) for stop in STOPS}
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    except Exception as error:
        if stopped.is_set():  # what failed is the statement that was cancelled
            raise KeyboardInterrupt from error
        raise
    finally:
        ended.set()
        signal.set_wakeup_fd(before)
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        writer.close()
        thread.join()
        reader.close()


@contextmanager
def stops_ignored() -> Iterator[None]:
    """Ignore SIGINT and SIGTERM in the block, which has to be short; outside the main thread they do not arrive."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {stop: signal.signal(stop, signal.SIG_IGN) for stop in STOPS}
    try:
        yield
    finally:
        for stop, handler in handlers.items():
            signal.signal(stop, handler)


def _cancel(connection: BaseDatabaseWrapper) -> None:
    with suppress(psycopg2.Error, AttributeError):  # it may not be open, or be gone
        connection.connection.cancel()


def _hang_up(connection: BaseDatabaseWrapper) -> None:
    with suppress(psycopg2.Error, AttributeError, OSError):
        socket.socket(fileno=os.dup(connection.connection.fileno())).shutdown(socket.SHUT_RDWR)
