-- msk_db as the code of commit 857751d leaves it, by tests/upgrade/make.py.


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.activity (
    id integer NOT NULL,
    content_slug character varying,
    schedule_id integer
);

CREATE TABLE public.device (
    id integer NOT NULL,
    platform character varying,
    os_version character varying
);

CREATE TABLE public.journey (
    id integer NOT NULL,
    abbreviation character varying,
    joint_slug character varying
);

CREATE TABLE public.journey_activity (
    journey_id integer,
    activity_id integer
);

CREATE TABLE public.patient (
    id integer NOT NULL,
    age_bracket character varying,
    sex character varying,
    hospital character varying
);

CREATE TABLE public.patient_journey (
    id integer NOT NULL,
    patient_id integer,
    journey_id integer,
    invitation_date date,
    registration_date date,
    operation_date date,
    discharge_date date,
    consent_date date,
    clinician_id integer
);

CREATE TABLE public.schedule (
    id integer NOT NULL,
    slug character varying
);

CREATE TABLE public.step_result (
    patient_id integer,
    date date,
    value character varying
);

CREATE TABLE public.survey (
    id integer NOT NULL,
    slug character varying,
    version character varying,
    tags character varying[]
);

CREATE TABLE public.survey_result (
    id integer NOT NULL,
    patient_journey_id integer,
    survey_id integer,
    activity_id integer,
    device_id integer,
    score_value integer,
    start_time timestamp without time zone,
    end_time timestamp without time zone
);

COPY public.activity (id, content_slug, schedule_id) FROM stdin;
1	pain-diary	1
2	first-exercise	2
3	reading	3
4	walk	4
5	lost	9
\.

COPY public.device (id, platform, os_version) FROM stdin;
1	iOS	17.1
2	Android	14
\.

COPY public.journey (id, abbreviation, joint_slug) FROM stdin;
1	THR	hip
2	TKR	knee
\.

COPY public.journey_activity (journey_id, activity_id) FROM stdin;
1	1
1	2
1	3
2	1
2	4
2	4
2	8
\.

COPY public.patient (id, age_bracket, sex, hospital) FROM stdin;
1	60-69	f	North
2	70-79	m	North
3	50-59	f	South
4	60-69	m	\N
\.

COPY public.patient_journey (id, patient_id, journey_id, invitation_date, registration_date, operation_date, discharge_date, consent_date, clinician_id) FROM stdin;
1	1	1	2024-01-02	2024-01-05	2024-03-01	2024-03-04	2024-01-06	7
2	2	1	2024-01-03	2024-01-09	2024-03-11	\N	2024-01-09	7
3	3	2	2024-02-01	2024-02-02	2024-04-02	2024-04-05	\N	8
4	4	2	2024-02-05	2024-02-06	\N	\N	\N	\N
5	5	2	2024-02-07	\N	\N	\N	\N	8
6	6	1	2024-02-08	\N	\N	\N	\N	8
\.

COPY public.schedule (id, slug) FROM stdin;
1	7d-10d-post-op
2	pre-op
3	on-demand
4	2w-post-reg
\.

COPY public.step_result (patient_id, date, value) FROM stdin;
1	2024-03-08	1200
1	2024-03-09	 2500 
1	2024-03-09	2400
2	2024-03-18	n/a
2	2024-03-19	800
3	2024-04-09	-5
3	2024-04-10	3100
4	\N	100
5	2024-02-20	99999999999
5	2024-02-21	4200
\.

COPY public.survey (id, slug, version, tags) FROM stdin;
1	pain	1	{short,weekly}
2	mobility	2	\N
\.

COPY public.survey_result (id, patient_journey_id, survey_id, activity_id, device_id, score_value, start_time, end_time) FROM stdin;
1	1	1	1	1	5	2024-03-08 09:00:00	2024-03-08 09:05:00
2	2	1	1	2	7	2024-04-01 18:00:00	2024-04-01 18:04:00
3	3	2	4	\N	\N	2024-02-20 07:30:00	2024-02-20 07:42:00
4	3	1	1	2	6	2024-04-09 10:00:00	2024-04-09 09:00:00
5	5	2	4	1	3	2024-02-28 20:00:00	2024-02-28 20:10:00
6	1	1	3	1	4	2024-03-20 20:00:00	2024-03-20 20:01:00
\.

ALTER TABLE ONLY public.activity
    ADD CONSTRAINT activity_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.journey
    ADD CONSTRAINT journey_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patient_journey
    ADD CONSTRAINT patient_journey_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.patient
    ADD CONSTRAINT patient_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.survey
    ADD CONSTRAINT survey_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.survey_result
    ADD CONSTRAINT survey_result_pkey PRIMARY KEY (id);

