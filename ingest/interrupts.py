"""Ctrl-C and `docker stop` reach a run that waits for a server."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import psycopg2
from django.db import connections

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def cancel_on_stop() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt in the block at once, not when the server has answered.

    While psycopg2 waits for a server Python handles no signal. But its number is written to the wake-up descriptor, on
    which a thread waits that cancels what the connections are at; the statement then fails, and the signal is handled.
    """
    stopped = threading.Event()
    waiting = [connections[alias] for alias in connections]
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def cancel() -> None:
        while received := reader.recv(64):
            if any(stop in received for stop in STOPS):
                for connection in waiting:
                    with suppress(psycopg2.Error, AttributeError):  # it may not be open, or be gone
                        connection.connection.cancel()

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
        signal.set_wakeup_fd(before)
        for stop, handler in handlers.items():
            signal.signal(stop, handler)
        writer.close()
        thread.join()
        reader.close()
