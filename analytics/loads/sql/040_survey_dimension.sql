-- Surveys, as the source has them.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_survey as s
)

select
    n.id as survey_id, n.slug, n.version, n.tags,
    n.occurrence,
    case when n.id is null then 'missing_key' when n.occurrence > 1 then 'duplicate' end as reason,
    null as orphan,
    jsonb_build_object(
        'id', n.id, 'slug', excerpt(n.slug), 'version', excerpt(n.version),
        'tags', case when length(n.tags::text) > 1000 then array[excerpt(n.tags::text)] else n.tags end
    ) as rejected
from numbered as n
