-- How many windows there are of each pair of values, as of a day, of how many patients, and the most that one patient
-- has of them, whatever the conditions leave of these.
select
    c.by_value, c.colour_value, sum(c.windows)::bigint as windows,
    count(*) filter (where c.windows > 0) as patients, max(c.of_patient) as most
from (
    select
        :by as by_value, :colour as colour_value, w.patient_id, count(*) filter (where :conditions) as windows,
        count(*) as of_patient
    from window_detail as w
    -- Joined to what it may be, and left, so that the server knows how many rows and how few groups there are.
    left join (
        values ('completed'), ('completed_late'), ('completed_early'), ('missed'), ('open'), ('upcoming'), ('undated')
    ) as s (status) on s.status = window_status(w, :day)
    where :frame
    group by 1, 2, 3
) as c
group by 1, 2
