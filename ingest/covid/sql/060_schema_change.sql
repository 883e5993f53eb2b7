-- What changed of the definitions since the document before.
insert into schema_change (run_id, detected_at, field_name, kind, detail)
select :run_id, :at, c.field_name, c.kind, jsonb_build_object('before', c.before, 'after', c.after)
from jsonb_to_recordset(:changes) as c (field_name text, kind text, before jsonb, after jsonb);
