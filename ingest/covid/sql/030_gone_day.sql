-- Where a document holds the same version several times, the first counts.
with first as (
    select i.sha256, min(i.position) as position
    from incoming_covid_day as i
    group by i.sha256
)

delete from incoming_covid_day as i
using first as f
where f.sha256 = i.sha256 and f.position < i.position;

-- The versions that the address gave before and no longer gives.
update staging_covid_day
set position = -1
where url = :url and position >= 0 and sha256 not in (select i.sha256 from incoming_covid_day as i);
