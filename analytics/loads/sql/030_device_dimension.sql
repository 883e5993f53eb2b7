-- Devices, as the source has them.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_device as s
)

select
    n.id as device_id, n.platform, n.os_version,
    n.occurrence,
    case when n.id is null then 'missing_key' when n.occurrence > 1 then 'duplicate' end as reason,
    null as orphan,
    jsonb_build_object(
        'id', n.id, 'platform', excerpt(n.platform), 'os_version', excerpt(n.os_version)
    ) as rejected
from numbered as n
