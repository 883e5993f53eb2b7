FROM python:3.13-slim

# A Debian mirror keeps only the newest build of a package: a pinned one would soon be gone. The base image names the
# release, and with it the versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends busybox make postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10004 secrets \
    && useradd --uid 10001 --groups secrets --home-dir /app --no-create-home --shell /usr/sbin/nologin app \
    && useradd --uid 10002 --groups secrets --home-dir /app --no-create-home --shell /usr/sbin/nologin web \
    && useradd --uid 10003 --groups secrets --home-dir /app --no-create-home --shell /usr/sbin/nologin owner \
    && install -D --mode 660 --group app /dev/null /var/spool/cron/crontabs/app \
    && ln -s /app/crontab.sh /usr/bin/crontab

# The Makefile and everything else find the virtual environment by these; the code's folder stays closed to the
# application, so what the tools of `make test` like to keep goes to /tmp.
ENV HOME=/app \
    VENV=/opt/venv \
    PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTEST_ADDOPTS="-o cache_dir=/tmp/pytest" \
    HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis

WORKDIR /app

COPY requirements.txt requirements-test.txt ./
RUN python -m venv --without-pip "$VENV" \
    && pip --python "$VENV/bin/python" install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements.txt -r requirements-test.txt

COPY . .
# Readable whatever the umask of the clone was, and the stamp that tells make that there is nothing to install.
RUN chmod -R u=rwX,go=rX . \
    && python -m django collectstatic --settings pipeline_project.settings --noinput --verbosity 0 \
    && touch "$VENV/.installed"

# As root: crond, to start jobs, needs to become `app`, and so does entrypoint.sh for everything else.
EXPOSE 8000
ENTRYPOINT ["./entrypoint.sh"]
