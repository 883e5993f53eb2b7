"""Pseudonyms and the days by which dates are shifted, for the views of the schema research. The load fills them.

Here and not in the views, whose definitions every role can read. grant_analyst makes the views: an installation
without pseudonyms has none.
"""

from django.db import migrations

TABLES = """
create table patient_pseudonym (
    patient_id integer primary key,
    pseudonym  uuid    not null unique,
    shift_days integer not null check (shift_days <> 0)
);
comment on table patient_pseudonym is 'What patients are called in the schema research; empty without PSEUDONYM_KEY';
comment on column patient_pseudonym.patient_id is 'The patient, in patient_dimension';
comment on column patient_pseudonym.pseudonym is 'Of HMAC-SHA256 with PSEUDONYM_KEY';
comment on column patient_pseudonym.shift_days is 'So many days later the patient''s dates are there; by HMAC as well';

create table patient_journey_pseudonym (
    patient_journey_id integer primary key,
    pseudonym          uuid    not null unique
);
comment on table patient_journey_pseudonym is
    'What patient journeys are called in the schema research; empty without PSEUDONYM_KEY';
comment on column patient_journey_pseudonym.patient_journey_id is 'The patient journey, in patient_journey_fact';
comment on column patient_journey_pseudonym.pseudonym is 'Of HMAC-SHA256 with PSEUDONYM_KEY';

create table clinician_pseudonym (
    clinician_id integer primary key,
    pseudonym    uuid    not null unique
);
comment on table clinician_pseudonym is
    'What clinicians are called in the schema research; empty without PSEUDONYM_KEY';
comment on column clinician_pseudonym.clinician_id is 'The clinician, a key of the source without a table';
comment on column clinician_pseudonym.pseudonym is 'Of HMAC-SHA256 with PSEUDONYM_KEY';
"""
# The views go with the tables that they show.
BACKWARDS = "drop table patient_pseudonym, patient_journey_pseudonym, clinician_pseudonym cascade"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_as_of_today")]

    operations = [migrations.RunSQL(TABLES, BACKWARDS, hints={"database": "analytics"})]
