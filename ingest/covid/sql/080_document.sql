-- The last answer of an address. The same bytes keep the time when they first came; the same answer writes nothing.
update staging_covid_document
set
    fetched_at = case when sha256 = :sha256 then fetched_at else :fetched_at end,
    sha256 = :sha256,
    etag = :etag,
    last_modified = :last_modified
where url = :url and (sha256, etag, last_modified) is distinct from (:sha256, :etag, :last_modified);

insert into staging_covid_document (url, fetched_at, sha256, etag, last_modified)
select :url, :fetched_at, :sha256, :etag, :last_modified
where :url not in (select d.url from staging_covid_document as d);
