"""Make the databases from which a release is upgraded in the tests: python -m tests.upgrade.make [REVISION]

It checks the revision out (HEAD, if none is named) beside this folder, lets that code fill databases of its own, and
dumps them into the folder here that is named after that code's version. What is in them is made up.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline_project import embedded
from pipeline_project.embedded import ROOT

FOLDER = Path(__file__).resolve().parent
KEPT = {"RUN_HISTORY_DAYS": "36500", "ACCESS_LOG_DAYS": "36500"}  # however old the dumps are
PSEUDONYM_KEY = "the key of pseudonyms of nobody at all"
DATABASES = {"default": "msk_database", "analytics": "analytics_db", "msk_db": "msk_db"}
COVID = """
import json, sys
from pathlib import Path
whole = json.loads(Path("sample_data/covid/v2/us/daily.json").read_text())
Path("covid/us").mkdir(parents=True)
Path("covid/us/daily.json").write_text(json.dumps(whole | {"data": whole["data"][-3:]}))
"""
# People and what they did: a care manager with an authenticator app, who looked at a patient, asked for a run, and said
# what a slug means.
PEOPLE = """
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group, User
from django.test import Client
from ingest.models import RunRequest, ScheduleOverride
ada = User.objects.create_user("ada", "ada@example.org", "the password of nobody", is_staff=True)
ada.groups.set(Group.objects.all())
browser = Client(HTTP_HOST="localhost")
browser.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
assert browser.get("/patients/1/").status_code == 200
TOTP.activate(ada, generate_totp_secret())
RecoveryCodes.activate(ada)
RunRequest.objects.create(source="msk", requested_by=ada.username)
ScheduleOverride.objects.create(schedule_id=3, milestone_slug="operation", offset_start_days=1, offset_end_days=9)
"""
# What pg_dump writes that an older server or psql refuses, or that says nothing.
NOISE = re.compile(r"^(\\(un)?restrict |SET transaction_timeout|--$|-- ).*\n", re.MULTILINE)
IN_THE_IMAGE = "/app"


class Installation:
    """A checkout of the project with an embedded PostgreSQL of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHON_DOTENV_DISABLED": "1",
            "COVID_API_URL": str(folder / "covid"),
            "PSEUDONYM_KEY": PSEUDONYM_KEY,
        } | KEPT

    def python(self, *arguments: str, fails: bool = False, **changes: str) -> None:
        """Run Python in it; raises SystemExit where that fails, or where it was to fail and does not."""
        ended = subprocess.run([sys.executable, *arguments], cwd=self.folder, env=self.environment | changes)
        if bool(ended.returncode) != fails:
            sys.exit(f"error: {' '.join(arguments)} ended with {ended.returncode}: see above")

    def manage(self, *arguments: str, fails: bool = False, **changes: str) -> None:
        self.python("manage.py", *arguments, fails=fails, **changes)

    def server(self, program: str, *arguments: str) -> str:
        """Let a program of PostgreSQL talk to its server; return what it prints."""
        info = self.folder / ".local" / "postgres" / "postmaster.pid"
        socket = info.read_text(encoding="utf-8").splitlines()[4]
        command = [program, f"--host={socket}", "--username=postgres", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Give a folder with the code of a revision, which is gone at the end of the block."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "code"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", folder, revision], cwd=ROOT, check=True)
        # PostgreSQL's own user, where root starts it, has to reach it.
        Path(parent).chmod(0o755)
        try:
            yield folder
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


def fill(installation: Installation) -> None:
    """Let runs, people and an erased patient leave their traces."""
    installation.python("-c", COVID)
    (installation.folder / "msk_db.sql").write_bytes((FOLDER / "source.sql").read_bytes())
    installation.manage("prepare_databases")
    installation.manage("run_pipeline")
    installation.manage("shell", "-c", PEOPLE)
    installation.server("psql", "--quiet", "--dbname=msk_db", "--command=delete from patient where id = 5")
    installation.manage("run_pipeline", "--allow-deletes")
    installation.manage("run_pipeline", "--only", "covid", fails=True, COVID_API_URL=str(installation.folder / "none"))
    installation.manage("check_warehouse")


def main(revision: str) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", revision], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    with checkout(revision) as folder:
        installation = Installation(folder)
        version = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        target = FOLDER / version
        target.mkdir(exist_ok=True)
        try:
            fill(installation)
            for database in DATABASES.values():
                dump = installation.server("pg_dump", "--no-owner", "--no-acl", database)
                said = re.sub(r"\n{3,}", "\n\n", NOISE.sub("", dump).replace(str(folder), IN_THE_IMAGE))
                header = f"-- {database} as the code of commit {commit} leaves it, by tests/upgrade/make.py.\n"
                (target / f"{database}.sql").write_text(header + said, encoding="utf-8")
        finally:
            installation.python("-m", "pipeline_project.embedded")
    sys.stdout.write(f"{target.relative_to(ROOT)} has the databases of {version}\n")


if __name__ == "__main__":
    embedded.use()  # for its programs on the PATH
    main(*sys.argv[1:] or ["HEAD"])
