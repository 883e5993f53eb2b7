"""Whether all that is staged is in the star or rejected: the sums of each table."""

from collections.abc import Callable

from psycopg2.sql import SQL, Identifier, Literal

from analytics.charts.scale import number
from analytics.loads import covid
from analytics.loads.rejects import COVID_DAY
from analytics.loads.tables import STAR_TABLES
from analytics.pages.answers import Row, kept
from analytics.pages.small_numbers import OF_PATIENTS, rounded


def sums(*, hides_rows: bool = False) -> list[Row]:
    """Return of each table of a source its rows: there, staged, in the star and rejected, and whether they add up.

    With `hides_rows` those about patients are counted as patients are.
    """
    tables = [table for table in STAR_TABLES if table.source]
    counted = [
        SQL(
            """
            select {place} as place, 'msk' as source, s.source_table, {star} as star_table, s.source_rows, s.staged,
                   (select count(*) from {table}) as loaded
              from staged_rows s
             where s.source_table = {source}
            """
        ).format(
            place=Literal(table.number),
            source=Literal(table.source),
            star=Literal(table.name),
            table=Identifier(table.name),
        )
        for table in tables
    ]
    counted.append(
        SQL(
            """
            select 1000, 'covid', {source}, 'cases_dimension', null, (select count(*) from ({days}) d),
                   (select count(*) from cases_dimension)
            """
        ).format(source=Literal(COVID_DAY), days=covid.checked_days_of_last_load())
    )
    entering = [table.source for table in tables if table.orphans_enter]
    rows = kept(
        "quality_sums",
        locked=["staged_rows"],  # and with the view what it counts
        counted=SQL(" union all ").join(counted),
        entering=entering,
    )
    for row in rows:
        row["judged"] = row["staged"] if row["source_rows"] is None else row["source_rows"]
        is_hidden = hides_rows and row["source_table"] in OF_PATIENTS
        row["verdict"] = _verdict(row, rounded if is_hidden else int)
        if is_hidden:
            counts = ("source_rows", "staged", "loaded", "rejected", "judged")
            row |= {name: rounded(row[name]) for name in counts if row[name] is not None}
    return rows


def _verdict(row: Row, shown: Callable[[int], int]) -> str:
    lost = row["staged"] - row["loaded"] - row["rejected"]
    if lost:
        return f"no, {number(shown(abs(lost)))} {'nowhere' if lost > 0 else 'too many'}"
    return "yes" if row["judged"] == row["staged"] else "no, not staged as it was"
