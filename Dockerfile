# `docker build .` gives the image for production, the last stage; docker-compose.yml builds `development`.
FROM python:3.13-slim AS base

# A Debian mirror keeps only the newest build of a package: a pinned one would soon be gone. The base image names the
# release, and with it the versions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends busybox \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10004 secrets \
    && useradd --uid 10001 --groups secrets --home-dir /app --no-create-home --shell /usr/sbin/nologin app \
    && useradd --uid 10002 --groups secrets --home-dir /app --no-create-home --shell /usr/sbin/nologin web \
    && useradd --uid 10003 --groups secrets --home-dir /app --no-create-home --shell /usr/sbin/nologin owner \
    && install -D --mode 660 --group app /dev/null /var/spool/cron/crontabs/app \
    && ln -s /app/crontab.sh /usr/bin/crontab

# HOME is for a user, too, whom nobody has heard of here. The Makefile and everything else find the virtual environment
# by these.
ENV HOME=/app \
    VENV=/opt/venv \
    PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1

WORKDIR /app

COPY requirements.txt ./
RUN python -m venv --without-pip "$VENV" \
    && pip --python "$VENV/bin/python" install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements.txt

# As root: crond, to start jobs, needs to become `app`, and so does entrypoint.sh for everything else. Another user may
# be named, who serves the site or runs a command (docs/deploy-image.md).
EXPOSE 8000
ENTRYPOINT ["./entrypoint.sh"]


# With what `make test` needs, and psql for `manage.py dbshell`.
FROM base AS development

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends make postgresql-client \
    && rm -rf /var/lib/apt/lists/*

# The code's folder is closed to the application, so what the tools of `make test` like to keep goes to /tmp.
ENV PYTEST_ADDOPTS="-o cache_dir=/tmp/pytest" \
    HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis

COPY requirements-test.txt ./
RUN pip --python "$VENV/bin/python" install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements.txt -r requirements-test.txt

COPY . .
# Readable whatever the umask of the clone was, compiled as no user of the application could keep it, and the stamp that
# tells make that there is nothing to install.
RUN chmod -R u=rwX,go=rX . \
    && python -m compileall -q . \
    && python -m django collectstatic --settings pipeline_project.settings --noinput --verbosity 0 \
    && touch "$VENV/.installed"


# What runs, and nothing else.
FROM base AS production

COPY access ./access
COPY analytics ./analytics
COPY ingest ./ingest
COPY pipeline_project ./pipeline_project
COPY sample_data ./sample_data
COPY crontab.sh entrypoint.sh gunicorn.conf.py manage.py pyproject.toml ./
RUN chmod -R u=rwX,go=rX . \
    && python -m compileall -q . \
    && python -m django collectstatic --settings pipeline_project.settings --noinput --verbosity 0

# The one folder that is written to. Fargate gives a volume mounted here the rights that the image has, which else were
# root's alone.
VOLUME /tmp
