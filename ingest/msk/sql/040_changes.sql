-- The keys whose rows differ, with the patients that these have and had: what the load of the star has to follow.
insert into :"changes"
select :changed_by
from :"differing" as t
union
select :changed_by
from :"staging" as t
where not :key_has_patient and (:key) in (select :key from :"differing" as t)
