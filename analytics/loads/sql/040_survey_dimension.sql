-- Surveys, as the source has them.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_survey as s
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
    c.id as survey_id,
    c.slug,
    c.version,
    c.tags,
    c.reason,
    case when c.reason is not null then coalesce(c.id::text, 'null') end as source_key,
    c.occurrence,
    case
        when c.reason is not null
            then jsonb_build_object(
                'row', jsonb_build_object(
                    'id', c.id,
                    'slug', excerpt(c.slug),
                    'version', excerpt(c.version),
                    'tags', case when length(c.tags::text) > 1000 then array[excerpt(c.tags::text)] else c.tags end
                )
            )
    end as detail
from checked as c
