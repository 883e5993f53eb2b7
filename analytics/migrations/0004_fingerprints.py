"""A fingerprint of each activity of a journey, beside that of each patient journey."""

from django.db import migrations

FORWARDS = """
alter table window_fingerprint rename to patient_journey_fingerprint;
comment on table patient_journey_fingerprint is 'Hash of what a patient journey brought to its windows';

create table journey_activity_fingerprint (
    journey_id  integer not null,
    activity_id integer not null,
    fingerprint bigint  not null,
    primary key (journey_id, activity_id)
);
comment on table journey_activity_fingerprint is 'Hash of what an activity brought to the windows of a journey';
"""

BACKWARDS = """
drop table journey_activity_fingerprint;
alter table patient_journey_fingerprint rename to window_fingerprint;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_covid"), ("ingest", "0004_pending")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS, hints={"database": "analytics"})]
