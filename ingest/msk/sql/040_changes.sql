-- The keys of the rows that differ, with the patients that these have and had: what the load of the star has to follow.
insert into :"changes"
select distinct :owned_key
from :"differing" as t
