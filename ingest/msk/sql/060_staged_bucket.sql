-- The digests of what is staged now.
delete from staged_bucket
where source_table = :table and bucket in (select c.bucket from :"changed_bucket" as c);

insert into staged_bucket (source_table, bucket, row_count, digest)
select :table, d.bucket, d.row_count, d.digest
from :"digest" as d
where d.bucket in (select c.bucket from :"changed_bucket" as c);

insert into staged_table as t (source_table, seed, row_count)
select :table, :seed, coalesce(sum(d.row_count), 0)
from :"digest" as d
on conflict (source_table) do update
    set seed = excluded.seed, row_count = excluded.row_count
    where (t.seed, t.row_count) <> (excluded.seed, excluded.row_count)
