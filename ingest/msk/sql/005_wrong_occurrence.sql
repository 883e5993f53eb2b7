-- Whether any staged row has another place among those of its id than their texts give it.
with doubled as (
    select
        t.occurrence,
        row_number() over (partition by t.id order by :text, t.occurrence) as place
    from :"staging" as t
    where
        (:key) in (
            select :key from :"staging" as t
            group by :key
            having count(*) > 1 or max(t.occurrence) > 1
        )
)

select count(*) > 0 as is_wrong
from doubled as d
where d.occurrence <> d.place
