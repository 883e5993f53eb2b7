-- The journey with the most patients but one loses an activity.
delete from journey_activity
where (journey_id, activity_id) = (
    select
        j.journey_id,
        max(a.activity_id)
    from journey_activity as a
    inner join activity on activity.id = a.activity_id
    inner join (
        select journey_id
        from patient_journey
        group by journey_id
        order by count(*) desc
        limit 1 offset 1
    ) as j on j.journey_id = a.journey_id
    group by j.journey_id
);
