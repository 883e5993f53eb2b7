-- COVID days, each in its newest version. calendar has the key of each day so far, figures what is read from a day.
-- List an invalid date only while its document has it: no later version would take its place.
with named as (
    select
        s.*, c.cases_id, coalesce(left(replace(s.document ->> 'date', '#', ' '), 64), 'null') as name
    from staging_covid_day as s
    left join jsonb_to_recordset(:calendar) as c (day text, cases_id uuid) on c.day = s.document ->> 'date'
),

numbered as (
    select
        n.*, row_number() over newest as occurrence,
        first_value(n.url) over newest = n.url
        and first_value(n.fetched_at) over newest = n.fetched_at as in_newest_document
    from named as n
    window newest as (partition by n.name order by n.fetched_at desc, n.position asc)
),

checked_figure as (
    select
        n.id, f.number, f.path, v.value,
        case
            when v.value is null then case when not f.optional then 'missing_key' end
            when jsonb_typeof(v.value) = 'null' then null
            when jsonb_typeof(v.value) <> 'number' then 'not_a_number'
            when f.whole and v.value::numeric % 1 <> 0 then 'not_a_number'
            when not f.signed and v.value::numeric < 0 then 'negative'
            when abs(v.value::numeric) > f.maximum then 'out_of_range'
        end as reason
    from numbered as n
    cross join
        jsonb_to_recordset(:figures) as f (
            number integer, path text, keys text[], whole boolean, signed boolean, optional boolean, maximum bigint
        )
    cross join lateral (select n.document #> f.keys as value) as v
    where n.cases_id is not null and n.occurrence = 1
),

first_flaw as (
    select distinct on (c.id) c.id, c.path, c.value, c.reason
    from checked_figure as c
    where c.reason is not null
    order by c.id, c.number
)

select
    n.cases_id,
    n.document,
    case
        when n.document ->> 'date' is null then 'missing_key'
        when n.cases_id is null then 'out_of_range'
        when n.occurrence > 1 then 'duplicate'
        else f.reason
    end as reason,
    n.name || case when n.occurrence > 1 then '#' || n.occurrence else '' end as source_key,
    jsonb_build_object(
        'url', n.url,
        'path', format('data[%s].%s', n.position, coalesce(f.path, 'date')),
        'value', coalesce(f.value, n.document -> 'date')
    ) as detail
from numbered as n
left join first_flaw as f on f.id = n.id
where case when n.cases_id is null then n.position >= 0 else n.occurrence = 1 or n.in_newest_document end
