-- The day of the last survey result, which is all that is known of windows that ended later.
select max((r.end_time at time zone 'UTC')::date) as day
from survey_result_fact as r
