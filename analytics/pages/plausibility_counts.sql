-- How much of the data is hardly right, by rule, and of how many patients; null where it is about none.
select i.rule, count(*) as rows, nullif(count(distinct i.patient_id), 0) as patients
from (:implausible) as i
group by i.rule
