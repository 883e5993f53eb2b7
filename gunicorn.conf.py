"""How gunicorn serves the site, in Docker and in the tests. Its number of processes is the variable WEB_CONCURRENCY."""

import os
from pathlib import Path
from typing import Any

bind = "0.0.0.0:8000"
threads = 4
preload_app = True  # without a SECRET_KEY the settings make one up, and the workers have to share it
accesslog = "-"
control_socket_disable = True
# Nobody's word on the scheme or the path counts, which gunicorn would take from its own machine, whatever
# FORWARDED_ALLOW_IPS says: Django reads the proxy's headers, and only with BEHIND_TLS_PROXY.
forwarded_allow_ips = ""
# A heartbeat in memory, as one on a slow disk makes a worker look dead.
memory = Path("/dev/shm")  # noqa: S108
worker_tmp_dir = str(memory) if memory.is_dir() else None

if os.environ.get("LOG_FORMAT", "").strip().lower() == "json":
    # Behind a proxy the address that counts is the last one that it has appended.
    access_log_format = '%({x-forwarded-for}i)s %(h)s "%(r)s" %(s)s %(b)s bytes %(M)s ms "%(a)s"'
    logconfig_dict = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"generic": {"()": "pipeline_project.logs.ObjectFormatter"}},
        "root": {"handlers": []},  # gunicorn's own would log each line once more
    }


def post_worker_init(worker: Any) -> None:
    """Take away what a killed worker has left of the files that it was making, and let its log quote no row."""
    from analytics.exports import folders  # here: with preload_app it is there by now
    from ingest.runs.errors import story

    folders.sweep()
    for handler in worker.log.error_log.handlers:
        handler.formatter.formatException = lambda raised: story(raised[1])
