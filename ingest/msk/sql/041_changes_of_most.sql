-- The same without a look at what is staged.
insert into :"changes"
select :changed_by
from :"differing" as t
