"""Time the catch-up of all days of the COVID API, served over HTTP on this machine, against a request for each day.

    python -m bench.covid [FOLDER]

FOLDER holds the API's documents, us/daily.json and us/daily/*.json; by default it is the sample.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.server import ROOT, drop_databases, make_star, manage, measure, use_server


class Handler(SimpleHTTPRequestHandler):
    """Serves files, says when they changed, answers 304 where they did not, and counts the requests."""

    requests = 0

    def do_GET(self) -> None:
        Handler.requests += 1
        super().do_GET()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder and give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    """Measure and print a line a case."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "sample_data" / "covid" / "v2").resolve()
    days = sorted(path.stem for path in (folder / "us" / "daily").glob("*.json"))
    print(f"{len(days)} days of {folder.name:<23}{'seconds':>9}{'requests':>10}{'peak MB':>9}")
    use_server()
    with served(folder) as address:
        os.environ["COVID_API_URL"] = address
        make_star()
        case("catch-up of all days", "run_pipeline", "--only", "covid")
        case("nothing changed", "run_pipeline", "--only", "covid")
        make_star()
        case("a request for each day", "extract_covid", "--from", days[0], "--to", days[-1])
    drop_databases()


def case(name: str, *command: str) -> None:
    """Run a command and print its wall-clock seconds, its requests and its memory."""
    Handler.requests = 0
    measured = measure(*manage(*command))
    print(f"{name:<34}{measured.seconds:>9.2f}{Handler.requests:>10}{measured.peak_mb:>9.0f}")


if __name__ == "__main__":
    main()
