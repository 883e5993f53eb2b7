-- How many windows there are of each two values of any two of these columns, and of each status, as of a day: all in
-- one reading. A week is that in which a window ended, by its Monday. `others` tells which two a row is about: it has a
-- bit for each column that is not one of them, the lowest for the last.
with windows as materialized (
    select
        :dimensions,
        case
            when w.window_end_date between :first_day and :last_day
                then w.window_end_date - (w.window_end_date - date '0001-01-01') % 7
        end as week,
        s.status
    from window_detail as w
    -- Joined to what it may be, and left, so that the server knows how few groups there are.
    left join (
        values ('completed'), ('completed_late'), ('completed_early'), ('missed'), ('open'), ('upcoming'), ('undated')
    ) as s (status) on s.status = window_status(w, :day)
),

-- Those of one patient journey are alike in most but their activity: three of four pairs are about a third of the rows.
alike as (
    select :columns, status, count(*) as windows
    from windows
    group by :columns, status
)

select grouping(activity, :columns) as others, activity, :columns, status, count(*) as windows
from windows
group by grouping sets (:pairs_with_activity)
union all
select :activity_bit + grouping(:columns), null, :columns, status, sum(windows)::bigint
from alike
group by grouping sets (:pairs)
order by others
