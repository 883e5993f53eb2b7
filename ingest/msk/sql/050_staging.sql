-- The rows of the keys that differ, as the source has them.
delete from :"staging" as t
where :is_compared and (:owned_key) in (select :owned_key from :"differing" as t);

insert into :"staging"
select :columns
from :"incoming" as t
where (:owned_key) in (select :owned_key from :"differing" as t)
