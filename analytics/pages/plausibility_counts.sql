-- How much of the data is hardly right, by rule.
select i.rule, count(*) as rows
from (:implausible) as i
group by i.rule
