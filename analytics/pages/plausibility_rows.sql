-- What is hardly right by one rule, the last day first.
select i.patient_id, i.key, i.day, i.odd
from (:implausible) as i
where i.rule = :rule
order by i.day desc nulls last, i.key asc, i.odd asc
limit :rows
