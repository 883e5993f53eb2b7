-- What was theirs stays, and points nowhere.
delete from patient
where hashint4(id) % 4 = 0;
