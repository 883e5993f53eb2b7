-- The current version of each day, judged: null reason, or what is wrong with it and where.
-- covid_calendar holds the days that there are so far, covid_figure what is read from a day.
with numbered as (
    select
        v.*,
        v.document ->> 'date' as day,
        first_value(v.id) over newest = v.id as is_current,
        first_value(v.url) over newest = v.url
        and first_value(v.fetched_at) over newest = v.fetched_at as is_of_newest_document,
        row_number() over newest as place
    from staging_covid_day as v
    window newest as (partition by v.document ->> 'date' order by v.fetched_at desc, v.position asc)
)

select
    c.cases_id,
    n.document,
    coalesce(n.day, 'null') || case when n.place > 1 then '#' || n.place else '' end as source_key,
    case
        when not n.is_current then 'duplicate'
        when n.day is null then 'missing_key'
        when c.cases_id is null then 'out_of_range'
        else f.flaw
    end as reason,
    jsonb_build_object(
        'url', n.url,
        'path', format('data[%s].%s', n.position, coalesce(f.path, 'date')),
        'value', coalesce(f.value, n.document -> 'date')
    ) as detail
from numbered as n
left join covid_calendar as c on c.day::text = n.day
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
    where g.flaw is not null and c.cases_id is not null
    order by g.number
    limit 1
) as f on n.is_current
where n.is_current or n.is_of_newest_document
