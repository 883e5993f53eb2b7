-- The keys of a table of which most rows differ: the load looks at all of it, so they need not be complete or distinct.
insert into :"changes"
select :changed_by
from :"differing" as t
