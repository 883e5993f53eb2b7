-- The definitions of the COVID API's fields, those that it no longer has included.
select
    d.id as field_definitions_dimension_id, d.name as field_name, d.field as field_path,
    d.deprecated, d.prior_names, d.first_seen_at, d.last_seen_at
from staging_covid_definition as d
