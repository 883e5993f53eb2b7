-- How the windows that ended in each of the weeks before a day stood on that day, by the Monday of the week.
select w.window_end_date - (w.window_end_date - date '0001-01-01') % 7 as week, s.status, count(*) as windows
from window_detail as w
-- Joined to what it may be, and left, so that the server knows how many rows and how few groups there are.
left join (
    values ('completed'), ('completed_late'), ('completed_early'), ('missed'), ('open'), ('upcoming'), ('undated')
) as s (status) on s.status = window_status(w, :day)
where w.window_end_date between :first_day and :last_day and :conditions
group by 1, 2
