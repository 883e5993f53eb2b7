"""An SQL file as pg_dump writes it: the tables, their rows as COPY's text format, their keys."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

TABLES = {  # as delivered; a `pk` gets its constraint after the rows, as pg_dump does it
    "schedule": "id pk, slug varchar",
    "activity": "id pk, content_slug varchar, schedule_id int",
    "journey": "id pk, abbreviation varchar, joint_slug varchar",
    "journey_activity": "journey_id int, activity_id int",
    "patient": "id pk, age_bracket varchar, sex varchar, hospital varchar",
    "patient_journey": "id pk, patient_id int, journey_id int, invitation_date date, registration_date date, "
    "operation_date date, discharge_date date, consent_date date, clinician_id int",
    "device": "id pk, platform varchar, os_version varchar",
    "survey": "id pk, slug varchar, version varchar, tags varchar[]",
    "step_result": "patient_id int, date date, value varchar",
    "survey_result": "id pk, patient_journey_id int, survey_id int, activity_id int, device_id int, "
    "score_value int, start_time timestamp, end_time timestamp",
}
COLUMNS = {table: dict(c.split() for c in spec.split(", ")) for table, spec in TABLES.items()}
SQL_TYPES = {
    "pk": "integer NOT NULL",
    "int": "integer",
    "timestamp": "timestamp without time zone",
    "varchar": "character varying",
    "varchar[]": "character varying[]",
}
HEADER = """\
--
-- PostgreSQL database dump of {title}
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;

"""
COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def dump(title: str, lines: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Yield the file piece by piece; `lines` holds the COPY lines of each table, each read once."""
    yield HEADER.format(title=title)
    for table, columns in COLUMNS.items():
        body = ",\n".join(f"    {name} {SQL_TYPES.get(kind, kind)}" for name, kind in columns.items())
        yield f"CREATE TABLE public.{table} (\n{body}\n);\n\n"
    for table, columns in COLUMNS.items():
        yield f"COPY public.{table} ({', '.join(columns)}) FROM stdin;\n"
        yield from lines[table]
        yield "\\.\n\n"
    for table, columns in COLUMNS.items():
        if "pk" in columns.values():
            yield f"ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT {table}_pkey PRIMARY KEY (id);\n\n"
    yield "--\n-- PostgreSQL database dump complete\n--\n"


def copy_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield each row as a line of COPY's text format."""
    return ("\t".join(map(copy_text, row)) + "\n" for row in rows)


def copy_text(value: int | str | date | tuple[str, ...] | None) -> str:
    r"""Return a value as COPY reads it: `\N` for null, else escaped, a tuple as an array."""
    if value is None:
        return r"\N"
    if isinstance(value, tuple):  # every item in quotes, which also keep an item `NULL` from being a null
        value = "{" + ",".join('"' + re.sub(r'(["\\])', r"\\\1", item) + '"' for item in value) + "}"
    return str(value).translate(COPY_ESCAPES)
