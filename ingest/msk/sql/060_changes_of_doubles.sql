-- The rows of an id that several have are looked at together: which of them counts may be another one now.
insert into :"changes"
select :owned_key
from :"staging" as t
where
    (:key) in (
        select :key from :"staging" as t
        where t.occurrence > 1
    )
