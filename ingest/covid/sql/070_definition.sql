-- The document's definitions become the current ones. Those that it no longer has are kept, as they were.
update staging_covid_definition
set is_current = false
where is_current and name not in (select d.name from jsonb_to_recordset(:definitions) as d (name text));

insert into staging_covid_definition
(id, name, field, deprecated, prior_names, first_seen_at, last_seen_at, is_current)
select d.id, d.name, d.field, d.deprecated, d.prior_names, :at, :at, true
from jsonb_to_recordset(:definitions) as d (id uuid, name text, field text, deprecated boolean, prior_names text[])
on conflict (name) do update
    set
        field = excluded.field,
        deprecated = excluded.deprecated,
        prior_names = excluded.prior_names,
        last_seen_at = excluded.last_seen_at,
        is_current = true;
