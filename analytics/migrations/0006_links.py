"""Links between tables become foreign keys, for Django alone: the database has the same columns and no constraint."""

from django.db import migrations, models

PATIENT = ("patient", "PatientDimension", "The patient, in patient_dimension")
INDEXED = {"db_index": True}
NULL = {"null": True}
# Of each table its links: the name, the table whose key it is, the column's comment, and what else is to be said.
LINKS = {
    "ActivityDimension": [
        (
            "schedule",
            "ScheduleDimension",
            "When it is due, in schedule_dimension; null: no schedule, or one that does not exist",
            NULL,
        ),
    ],
    "JourneyActivityBridge": [
        ("journey", "JourneyDimension", "The journey, in journey_dimension", {}),
        ("activity", "ActivityDimension", "The activity, in activity_dimension", {}),
    ],
    "PatientJourneyFact": [
        (*PATIENT, INDEXED),
        ("journey", "JourneyDimension", "The journey followed, in journey_dimension", {}),
    ],
    "StepResultFact": [(*PATIENT, {})],
    "SurveyResultFact": [
        ("patient_journey", "PatientJourneyFact", "The patient journey, in patient_journey_fact", {}),
        (*PATIENT, INDEXED),
        ("survey", "SurveyDimension", "The survey, in survey_dimension", {}),
        ("activity", "ActivityDimension", "The activity that asked for it, in activity_dimension", {}),
        ("device", "DeviceDimension", "The device, in device_dimension; null: not known", NULL),
    ],
    "PatientJourneyScheduleWindow": [
        (*PATIENT, INDEXED),
        ("patient_journey", "PatientJourneyFact", "The patient journey, in patient_journey_fact", {}),
        ("activity", "ActivityDimension", "The activity, in activity_dimension", {}),
        ("schedule", "ScheduleDimension", "The schedule, in schedule_dimension; null: the activity has none", NULL),
    ],
    "ActivityCompletionFact": [
        ("patient_journey", "PatientJourneyFact", "The patient journey, in patient_journey_fact", {}),
        (*PATIENT, INDEXED),
        ("activity", "ActivityDimension", "The activity done, in activity_dimension", {}),
    ],
}
# And those that are the table's own key.
KEYS = {
    "ActivityCompletionFact": ("survey_result", "SurveyResultFact", "The survey result, in survey_result_fact"),
    "CasesFact": ("cases", "CasesDimension", "The day, in cases_dimension"),
    "TestingFact": ("cases", "CasesDimension", "The day, in cases_dimension"),
    "HospitalizationFact": ("cases", "CasesDimension", "The day, in cases_dimension"),
    "DeathFact": ("cases", "CasesDimension", "The day, in cases_dimension"),
}


def link(parent, comment, **more):
    return models.ForeignKey(
        f"analytics.{parent}",
        models.DO_NOTHING,
        db_constraint=False,
        db_comment=comment,
        related_name="+",
        **{"db_index": False} | more,
    )


def key(parent, comment):
    return models.OneToOneField(
        f"analytics.{parent}",
        models.DO_NOTHING,
        primary_key=True,
        serialize=False,
        db_constraint=False,
        db_comment=comment,
        related_name="+",
    )


def become(table, name, field):
    return [migrations.RenameField(table, f"{name}_id", name), migrations.AlterField(table, name, field)]


class Migration(migrations.Migration):
    dependencies = [("analytics", "0005_grain")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                operation
                for table, links in LINKS.items()
                for name, parent, comment, more in links
                for operation in become(table, name, link(parent, comment, **more))
            ]
            + [
                operation
                for table, (name, parent, comment) in KEYS.items()
                for operation in become(table, name, key(parent, comment))
            ],
        ),
    ]
