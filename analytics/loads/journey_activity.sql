-- Which activities a journey asks for: the first row of each pair, the others are duplicates.
with judged as (
    select
        (s.journey_id::bigint << 32) | (s.activity_id::bigint & 4294967295) as id,
        j.journey_id,
        a.activity_id,
        concat_ws('/', coalesce(s.journey_id::text, 'null'), coalesce(s.activity_id::text, 'null')) as source_key,
        s.place,
        case
            when s.journey_id is null or s.activity_id is null then 'missing_key'
            when j.journey_id is null or a.activity_id is null then 'orphan'
            when s.place > 1 then 'duplicate'
        end as reason,
        case
            when j.journey_id is null then jsonb_build_object('column', 'journey_id', 'key', s.journey_id)
            else jsonb_build_object('column', 'activity_id', 'key', s.activity_id)
        end as orphan,
        {source_row} as source_row
    from (
        select
            t.*,
            row_number() over (partition by t.journey_id, t.activity_id) as place
        from {staged} as t
    ) as s
    left join journey_dimension as j on j.journey_id = s.journey_id
    left join activity_dimension as a on a.activity_id = s.activity_id
)

select {verdict}
from judged
