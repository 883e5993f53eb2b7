-- Nothing is written for a day whose newest versions are the incoming ones, in the same order.
with newest as (
    select
        s.*, s.document ->> 'date' as day,
        rank() over (partition by s.document ->> 'date' order by s.fetched_at desc) as age
    from staging_covid_day as s
),

same as (
    select i.day, array_agg(i.sha256 order by i.position) as versions
    from incoming_covid_day as i
    group by i.day
    intersect
    select n.day, array_agg(n.sha256 order by n.position) as versions
    from newest as n
    where n.age = 1
    group by n.day
    having bool_and(n.position >= 0) -- one that was gone is there again
)

delete from incoming_covid_day as i
using same as s
where i.day is not distinct from s.day;

-- Of the other days, the versions that were kept before are the current ones again.
update staging_covid_day as s
set url = :url, fetched_at = :fetched_at, position = i.position
from incoming_covid_day as i
where i.sha256 = s.sha256;
