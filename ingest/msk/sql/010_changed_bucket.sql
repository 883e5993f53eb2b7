-- The buckets that are not at the source as they are staged.
create temp table :"changed_bucket" on commit drop as
select coalesce(now.bucket, before.bucket) as bucket
from :"digest" as now
full join (
    select b.bucket, b.row_count, b.digest
    from staged_bucket as b
    where b.source_table = :table
) as before on now.bucket = before.bucket
where (now.row_count, now.digest) is distinct from (before.row_count, before.digest)
