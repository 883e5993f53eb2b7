"""One deadline for all that a block does, however many steps that takes and however slowly a server answers."""

import signal
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_SECONDS = 0.5  # what cleans up after the deadline may wait for the same server once more


class _TimeIsUp(BaseException):
    # Not an Exception: a library would take that for a failure of the network, and try again.
    pass


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise TimeoutError from the block when it has taken `seconds`, which are more than 0.

    The time-out of a socket bounds each read of it alone: a server that sends a byte now and then keeps to it for ever.
    A signal ends whatever Python waits for: a connection to one of many addresses, a TLS handshake, a header, a sleep
    between two tries. What a C library waits for, as the resolver of names, ends first, within its own time-outs.
    Signals reach the main thread, in which commands run: in another one there is no deadline. Blocks do not nest, as a
    process has one such timer; RuntimeError says so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if any(signal.getitimer(signal.ITIMER_REAL)):
        raise RuntimeError("a deadline within a deadline")
    is_late = is_over = False

    def strike(number: int, frame: object) -> None:
        nonlocal is_late
        if not is_over:  # else it came while the block was left
            is_late = True
            raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, strike)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
            yield
        finally:
            is_over = True
    except (_TimeIsUp, Exception) as error:
        if not is_late:
            raise
        _close_what_is_open(error)
        raise TimeoutError(f"it took longer than {seconds:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _close_what_is_open(error: BaseException | None) -> None:
    # A library that was interrupted closes its sockets only when its variables end, which the traceback keeps.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        while error:
            traceback.clear_frames(error.__traceback__)
            error = error.__context__
