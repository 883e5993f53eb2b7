"""Time the pages of the site, within one process, against what each may take; kept in results/pages.txt.

    python -m bench.pages [--patients 20000] [--rounds 5]

Each page is asked for three times a round: when nothing is kept, as for who asks before what follows a load has ended
or for what that does not prepare; first, when it has; and again. All of it is measured at the generator's windows, and
at three times as many, where each journey has 40 activities more: 60 in all.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import django

from bench.server import STAR, drop_databases, sql
from bench.site import DAYS, load_both, use_project
from bench.source import make_sources

RESULTS = Path(__file__).with_name("results") / "pages.txt"
OVERRIDE = "/admin/ingest/scheduleoverride/add/"
# What is asked for, and how many milliseconds it may take (20,000 patients).
PAGES = (
    ("/", 300),
    ("/adherence/", 300),
    ("/adherence/?by=activity", 300),
    ("/adherence/?by=month&colour=hospital", 300),
    ("/adherence/?milestone=operation", 300),
    ("/adherence/?by=activity&milestone=operation", 300),
    ("/adherence/?by=clinician&activity={activity}", 300),
    ("/adherence/?by=clinician&colour=activity", 300),
    ("/adherence/?by=age_bracket&colour=sex&hospital={hospital}", 2000),
    ("/adherence/?day=2024-05-15&milestone=operation&sex=f&by=age_bracket", 2000),
    ("/adherence/?day=2024-05-15&by=month&colour=clinician&joint=hip&status=missed", 2000),
    ("/adherence/windows/?hospital={hospital}&status=missed", 2000),
    ("/steps/", 300),
    ("/steps/?by=joint", 300),
    ("/scores/", 300),
    ("/scores/?by=sex", 300),
    ("/covid/", 300),
    ("/quality/", 300),
    ("/runs/", 300),
    # Sent, as it is by its button; of the schedule that most windows have.
    (f"{OVERRIDE}?schedule_id={{schedule}}&milestone_slug=operation&offset_start_days=7&_preview=1", 2000),
    ("/patients/1/", 300),
    ("/tables/", 300),
    ("/tables/step_result_fact/", 300),
    ("/admin/analytics/activityadherence/", 300),
    ("/admin/analytics/activityadherence/?p=200", 300),
    ("/admin/analytics/activityadherence/?status=missed&p=200", 300),
    ("/admin/analytics/activityadherence/?status=upcoming", 300),
    ("/admin/analytics/activityadherence/?sex=female&status=missed&p=200", 300),
    ("/admin/analytics/patientjourneyschedulewindow/?joint=knee&p=200", 300),
    ("/admin/analytics/surveyresultfact/?activity={activity}", 300),
    ("/admin/analytics/activitycompletionfact/?clinician=7", 300),
    ("/admin/analytics/stepresultfact/?p=200", 300),
)
MORE_ACTIVITIES = """
insert into activity (id, content_slug, schedule_id)
select (select max(id) from activity) + n, 'activity ' || n, 1 + n % 20
  from generate_series(1, 40) n;
insert into journey_activity (journey_id, activity_id)
select j.id, a.id from journey j, activity a where a.content_slug like 'activity %'
"""
LARGEST_SCHEDULE = """
select schedule_id from patient_journey_schedule_window group by 1 order by count(*) desc limit 1
"""


def main() -> None:
    """Load a star with fewer and one with more windows, and keep a line a page of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    use_project()
    django.setup()
    make_sources(options.patients, DAYS)
    lines: list[str] = []
    for change in ("", MORE_ACTIVITIES):
        load_both(change)
        windows = int(sql(STAR, "select count(*) from adherence_fact"))
        heading = f"pages at {options.patients:,} patients, {windows:,} windows"
        lines += [
            f"{heading:<76}{'cold ms':>10}{'first ms':>10}{'again ms':>10}{'at most':>10}",
            *time_pages(options.rounds),
            "",
        ]
        print("\n".join(lines), flush=True)
    RESULTS.write_text("\n".join(lines), encoding="utf-8")
    drop_databases()


def time_pages(rounds: int) -> Iterator[str]:
    """Ask for each page, and yield a line with the medians."""
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.db import connections
    from django.test import Client

    from analytics.models import ActivityDimension, PatientDimension
    from analytics.pages.prepare import prepare_pages

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("bench"))
    names = {
        "activity": ActivityDimension.objects.exclude(content_slug=None).earliest("pk").content_slug,
        "hospital": PatientDimension.objects.exclude(hospital=None).earliest("pk").hospital,
        "schedule": sql(STAR, LARGEST_SCHEDULE),
    }

    def ask(page: str) -> float:
        start = time.perf_counter()
        place, _, query = page.partition("?")
        response = client.post(place, dict(parse_qsl(query))) if "_preview" in query else client.get(page)
        _ = response.content
        took = 1000 * (time.perf_counter() - start)
        if response.status_code != 200:
            raise SystemExit(f"{page} answers {response.status_code}")
        return took

    ask("/tables/")  # what a process does once, as to read its templates, is no page's affair
    addresses = {page.format(**names): limit for page, limit in PAGES}
    took: dict[str, list[list[float]]] = {address: [[], [], []] for address in addresses}
    for _ in range(rounds):
        for address, (cold, _, _) in took.items():
            cache.clear()
            cold.append(ask(address))
        cache.clear()
        prepare_pages()
        for address, (_, first, again) in took.items():
            first.append(ask(address))
            again.append(ask(address))
    for address, limit in addresses.items():
        medians = "".join(f"{statistics.median(times):>10.0f}" for times in took[address])
        yield f"{address:<76}{medians}{limit:>10}"
    for connection in connections.all():
        connection.close()


if __name__ == "__main__":
    main()
