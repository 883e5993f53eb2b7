-- A dimension that takes the columns of its source table as they are.
with judged as (
    select
        s.id as {key},
        {columns},
        s.id::text as source_key,
        s.place,
        case
            when s.id is null then 'missing_key'
            when s.place > 1 then 'duplicate'
        end as reason,
        null::jsonb as orphan,
        {source_row} as source_row
    from {numbered} as s
)

select {verdict}
from judged
