"""What people call the tables; nothing changes in the database."""

from django.db import migrations

NAMES = {
    "patientdimension": ("patient", "patients"),
    "journeydimension": ("journey", "journeys"),
    "devicedimension": ("device", "devices"),
    "surveydimension": ("survey", "surveys"),
    "scheduledimension": ("schedule", "schedules"),
    "activitydimension": ("activity", "activities"),
    "datedimension": ("day of the calendar", "days of the calendar"),
    "journeyactivitybridge": ("activity of a journey", "activities of journeys"),
    "patientjourneyfact": ("patient journey", "patient journeys"),
    "stepresultfact": ("step result", "step results"),
    "surveyresultfact": ("survey result", "survey results"),
    "patientjourneyschedulewindow": ("window", "windows"),
    "activitycompletionfact": ("completion", "completions"),
    "adherencefact": ("window with first completions", "windows with first completions"),
    "windowdetail": ("window in detail", "windows in detail"),
    "activityadherence": ("adherence of a window", "adherence"),
    "casesdimension": ("COVID day", "COVID days"),
    "casesfact": ("COVID cases of a day", "COVID cases"),
    "testingfact": ("COVID tests of a day", "COVID tests"),
    "hospitalizationfact": ("COVID patients in hospital on a day", "COVID patients in hospital"),
    "deathfact": ("COVID deaths of a day", "COVID deaths"),
    "fielddefinitionsdimension": ("COVID field definition", "COVID field definitions"),
}
VIEWS = ("windowdetail", "activityadherence")


class Migration(migrations.Migration):
    dependencies = [("analytics", "0007_adherence")]

    operations = [
        # What is not named again among the options is forgotten: that of the views our migrations make no table.
        migrations.AlterModelOptions(
            model,
            {"verbose_name": name, "verbose_name_plural": plural} | ({"managed": False} if model in VIEWS else {}),
        )
        for model, (name, plural) in NAMES.items()
    ]
