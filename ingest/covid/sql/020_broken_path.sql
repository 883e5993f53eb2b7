-- The paths that are missing or of another type in some incoming day, and right in none; with what is there instead.
-- A null by itself is no fault, but no proof of the right type either.
with read_path as (
    select 'date' as path, array['date'] as keys, array['string'] as fits
    union all
    select f.path, f.keys, array['number', 'null'] || case when f.optional then array['not there'] end as fits
    from jsonb_to_recordset(:figures) as f (path text, keys text[], optional boolean)
)

select p.path, min(t.found) filter (where t.found <> all(p.fits)) as found
from read_path as p
cross join incoming_covid_day as i
cross join lateral (select coalesce(jsonb_typeof(i.document #> p.keys), 'not there') as found) as t
group by p.path
having bool_or(t.found <> all(p.fits)) and not bool_or(t.found = p.fits[1])
order by p.path;
