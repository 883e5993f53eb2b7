-- Patients. Of several rows with one id the first in the order of the row's text counts.
with numbered as (
    select
        s.*,
        row_number() over (partition by s.id order by s::text collate "C") as occurrence
    from staging_patient as s
    where :everything or coalesce(s.id, -1) in (select c.patient_id from changed_patient as c)
),

checked as (
    select
        n.*,
        case when n.id is null then 'missing_key' when n.occurrence > 1 then 'duplicate' end as reason
    from numbered as n
)

select
    c.id as patient_id, c.age_bracket, c.sex, c.hospital,
    c.occurrence, c.reason, null as orphan,
    case
        when c.reason is not null
            then jsonb_build_object(
                'id', c.id, 'age_bracket', excerpt(c.age_bracket),
                'sex', excerpt(c.sex), 'hospital', excerpt(c.hospital)
            )
    end as rejected
from checked as c
