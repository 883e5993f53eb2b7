"""What nobody can foresee of a digest: a secret of this warehouse, which its first run makes."""

from django.db import migrations

CREATE = """
create table digest_secret (
    only_row boolean primary key default true check (only_row),
    secret   uuid    not null default gen_random_uuid()
);
comment on table digest_secret is
    'What the seeds of the digests are made of, so that nobody can craft two rows with one digest; not for analysts';
comment on column digest_secret.only_row is 'True: there is one secret';
comment on column digest_secret.secret is 'Made by the server at random; another one lets a run compare everything';
"""


class Migration(migrations.Migration):
    dependencies = [("ingest", "0001_squashed_0010_pending_key")]

    operations = [migrations.RunSQL(CREATE, "drop table digest_secret", hints={"database": "analytics"})]
