-- The versions that were never seen before.
insert into staging_covid_day (url, fetched_at, sha256, position, document)
select :url, :fetched_at, i.sha256, i.position, i.document
from incoming_covid_day as i
left join staging_covid_day as s on s.sha256 = i.sha256
where s.sha256 is null
order by i.position;
