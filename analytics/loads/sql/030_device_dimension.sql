-- Devices, as the source has them.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_device as s
),

checked as (
    select
        n.*,
        case
            when n.id is null then 'missing_key'
            when n.occurrence > 1 then 'duplicate'
        end as reason
    from numbered as n
)

select
    c.id as device_id,
    c.platform,
    c.os_version,
    c.reason,
    case when c.reason is not null then coalesce(c.id::text, 'null') end as source_key,
    c.occurrence,
    case
        when c.reason is not null
            then jsonb_build_object(
                'row', jsonb_build_object(
                    'id', c.id,
                    'platform', excerpt(c.platform),
                    'os_version', excerpt(c.os_version)
                )
            )
    end as detail
from checked as c
