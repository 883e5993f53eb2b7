update schedule
set slug = '5d-9d-post-op'
where id = 1;
