-- What the warehouse promises of the COVID figures. Each query gives what breaks the promise in its first line.

-- check: every staged day of the COVID API is in cases_dimension or in rejected_row, and in one of them alone
with staged as (
    select
        coalesce(left(replace(s.document ->> 'date', '#', ' '), 64), 'null') as name,
        bool_or(s.position >= 0) as is_in_a_document
    from staging_covid_day as s
    group by coalesce(left(replace(s.document ->> 'date', '#', ' '), 64), 'null')
),

placed as (
    select to_char(d.last_update_at at time zone 'UTC', 'YYYY-MM-DD') as name
    from cases_dimension as d
    union all
    (
        select distinct split_part(r.source_key, '#', 1)
        from rejected_row as r
        where r.source_table = 'covid_day' and r.reason <> 'duplicate'
    )
)

select coalesce(s.name, p.name) as name
from staged as s
full join placed as p on p.name = s.name
group by coalesce(s.name, p.name)
having
    bool_or(s.name is null)
    or count(p.name) > 1
    or count(p.name) = 0 and bool_or(s.is_in_a_document);

-- check: every COVID day is there once, at midnight UTC
select d.last_update_at
from cases_dimension as d
group by d.last_update_at
having count(*) > 1 or date_trunc('day', d.last_update_at, 'UTC') <> d.last_update_at;

-- check: every COVID day has its cases, tests, patients in hospital and deaths
select d.cases_id
from cases_dimension as d
full join cases_fact as c on c.cases_id = d.cases_id
full join testing_fact as t on t.cases_id = d.cases_id
full join hospitalization_fact as h on h.cases_id = d.cases_id
full join death_fact as x on x.cases_id = d.cases_id
where num_nulls(d.cases_id, c.cases_id, t.cases_id, h.cases_id, x.cases_id) > 0;

-- check: the warehouse says since when it holds COVID figures
select 'covid' as source
where exists (select from cases_dimension)
except
select source from load_state;
