-- The current version of each day, judged: null reason, or what is wrong with it and where.
-- covid_calendar holds the days that there are so far, covid_figure what is read from a day.
-- Of what is no day only that is listed which its document still holds: nothing else would ever take its place.
with named as (
    select
        v.*,
        c.cases_id,
        v.document ->> 'date' is null as is_nameless,
        coalesce(left(replace(v.document ->> 'date', '#', ' '), 64), 'null') as name
    from staging_covid_day as v
    left join covid_calendar as c on c.day::text = v.document ->> 'date'
),

numbered as (
    select
        n.*,
        first_value(n.url) over newest = n.url
        and first_value(n.fetched_at) over newest = n.fetched_at as is_of_newest_document,
        row_number() over newest as place
    from named as n
    window newest as (partition by n.name order by n.fetched_at desc, n.position asc)
)

select
    n.cases_id,
    n.document,
    n.name || case when n.place > 1 then '#' || n.place else '' end as source_key,
    case
        when n.is_nameless then 'missing_key'
        when n.cases_id is null then 'out_of_range'
        when n.place > 1 then 'duplicate'
        else f.flaw
    end as reason,
    jsonb_build_object(
        'url', n.url,
        'path', format('data[%s].%s', n.position, coalesce(f.path, 'date')),
        'value', coalesce(f.value, n.document -> 'date')
    ) as detail
from numbered as n
left join lateral (
    select
        g.path,
        g.value,
        g.flaw
    from (
        select
            f.number,
            f.path,
            n.document #> f.keys as value,
            case
                when n.document #> f.keys is null then case when not f.optional then 'missing_key' end
                when jsonb_typeof(n.document #> f.keys) = 'null' then null
                when jsonb_typeof(n.document #> f.keys) <> 'number' then 'not_a_number'
                when f.whole and (n.document #> f.keys)::numeric % 1 <> 0 then 'not_a_number'
                when not f.signed and (n.document #> f.keys)::numeric < 0 then 'negative'
                when abs((n.document #> f.keys)::numeric) > f.maximum then 'out_of_range'
            end as flaw
        from covid_figure as f
    ) as g
    where g.flaw is not null and n.cases_id is not null
    order by g.number
    limit 1
) as f on n.place = 1
where case when n.cases_id is null then n.position >= 0 else n.place = 1 or n.is_of_newest_document end
