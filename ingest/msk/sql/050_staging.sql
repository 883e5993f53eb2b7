-- The rows of the keys that differ, as the source has them.
delete from :"staging" as t
where :is_compared and (:key) in (select :key from :"differing" as t);

insert into :"staging"
select :columns
from :"incoming" as t
where (:key) in (select :key from :"differing" as t)
