-- A small, made-up source: five patients in two journeys, and a row that does not fit for most of the reasons.

create table schedule (id integer primary key, slug varchar);
create table activity (id integer primary key, content_slug varchar, schedule_id integer);
create table journey (id integer primary key, abbreviation varchar, joint_slug varchar);
create table journey_activity (journey_id integer, activity_id integer);
create table patient (id integer primary key, age_bracket varchar, sex varchar, hospital varchar);
create table patient_journey (
    id integer primary key, patient_id integer, journey_id integer, invitation_date date, registration_date date,
    operation_date date, discharge_date date, consent_date date, clinician_id integer
);
create table device (id integer primary key, platform varchar, os_version varchar);
create table survey (id integer primary key, slug varchar, version varchar, tags varchar[]);
create table step_result (patient_id integer, date date, value varchar);
create table survey_result (
    id integer primary key, patient_journey_id integer, survey_id integer, activity_id integer, device_id integer,
    score_value integer, start_time timestamp, end_time timestamp
);

insert into schedule values
(1, '7d-10d-post-op'),
(2, 'pre-op'),
(3, 'on-demand'),
(4, '2w-post-reg');

insert into activity values
(1, 'pain-diary', 1),
(2, 'first-exercise', 2),
(3, 'reading', 3),
(4, 'walk', 4),
(5, 'lost', 9); -- orphan

insert into journey values
(1, 'THR', 'hip'),
(2, 'TKR', 'knee');

insert into journey_activity values
(1, 1),
(1, 2),
(1, 3),
(2, 1),
(2, 4),
(2, 4), -- duplicate
(2, 8); -- orphan

insert into patient values
(1, '60-69', 'f', 'North'),
(2, '70-79', 'm', 'North'),
(3, '50-59', 'f', 'South'),
(4, '60-69', 'm', null),
(5, null, 'f', 'South');

insert into patient_journey values
(1, 1, 1, '2024-01-02', '2024-01-05', '2024-03-01', '2024-03-04', '2024-01-06', 7),
(2, 2, 1, '2024-01-03', '2024-01-09', '2024-03-11', null, '2024-01-09', 7),
(3, 3, 2, '2024-02-01', '2024-02-02', '2024-04-02', '2024-04-05', null, 8),
(4, 4, 2, '2024-02-05', '2024-02-06', null, null, null, null),
(5, 5, 2, '2024-02-07', null, null, null, null, 8),
(6, 6, 1, '2024-02-08', null, null, null, null, 8); -- orphan

insert into device values
(1, 'iOS', '17.1'),
(2, 'Android', '14');

insert into survey values
(1, 'pain', '1', '{short,weekly}'),
(2, 'mobility', '2', null);

insert into step_result values
(1, '2024-03-08', '1200'),
(1, '2024-03-09', ' 2500 '),
(1, '2024-03-09', '2400'), -- duplicate
(2, '2024-03-18', 'n/a'),  -- not_a_number
(2, '2024-03-19', '800'),
(3, '2024-04-09', '-5'),   -- negative
(3, '2024-04-10', '3100'),
(4, null, '100'),          -- missing_key
(5, '2024-02-20', '99999999999'), -- out_of_range
(5, '2024-02-21', '4200');

insert into survey_result values
(1, 1, 1, 1, 1, 5, '2024-03-08 09:00', '2024-03-08 09:05'),
(2, 2, 1, 1, 2, 7, '2024-04-01 18:00', '2024-04-01 18:04'),
(3, 3, 2, 4, null, null, '2024-02-20 07:30', '2024-02-20 07:42'),
(4, 3, 1, 1, 2, 6, '2024-04-09 10:00', '2024-04-09 09:00'), -- end_before_start
(5, 5, 2, 4, 1, 3, '2024-02-28 20:00', '2024-02-28 20:10'),
(6, 1, 1, 3, 1, 4, '2024-03-20 20:00', '2024-03-20 20:01');
