-- The days of a document: its content is an object that has one day, or an array of them, in data.
create temp table if not exists incoming_covid_day (position integer, day text, sha256 text, document jsonb)
on commit drop;

truncate incoming_covid_day;

insert into incoming_covid_day (position, day, sha256, document)
select d.number - 1, d.document ->> 'date', encode(sha256(convert_to(d.document::text, 'UTF8')), 'hex'), d.document
from (select cast(:content as jsonb) -> 'data' as days) as c
cross join lateral jsonb_array_elements(
    case jsonb_typeof(c.days) when 'array' then c.days else jsonb_build_array(c.days) end
) with ordinality as d (document, number);
