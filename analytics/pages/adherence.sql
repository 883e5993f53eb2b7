-- How many windows there are of each pair of values of two dimensions, as of a day.
select :by as by_value, :colour as colour_value, count(*) as windows
from window_detail as w
-- Joined to what it may be, and left, so that the server knows how many rows and how few groups there are.
left join (
    values ('completed'), ('completed_late'), ('completed_early'), ('missed'), ('open'), ('upcoming'), ('undated')
) as s (status) on s.status = window_status(w, :day)
where :conditions
group by 1, 2
