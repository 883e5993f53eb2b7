"""The groups that people are put in, and what each may do. Nobody else is named here: a superuser may do everything.

A permission is `app.codename`, in which a star stands for any letters. What is about single patients, the
facts, patient_dimension and the rows that were rejected, is for care managers alone.
"""

from fnmatch import fnmatch

# Tables of the star that say nothing of a patient.
WITHOUT_PATIENTS = (
    "analytics.view_journeydimension",
    "analytics.view_journeyactivitybridge",
    "analytics.view_activitydimension",
    "analytics.view_scheduledimension",
    "analytics.view_surveydimension",
    "analytics.view_devicedimension",
    "analytics.view_datedimension",
    "analytics.view_casesdimension",
    "analytics.view_casesfact",
    "analytics.view_testingfact",
    "analytics.view_hospitalizationfact",
    "analytics.view_deathfact",
    "analytics.view_fielddefinitionsdimension",
    "ingest.view_loadstate",
)

GROUPS: dict[str, tuple[str, ...]] = {
    "care manager": (
        "access.view_totals",
        "analytics.view_*",
        "ingest.view_loadstate",
        "ingest.view_rejectedrow",
        "ingest.view_scheduleoverride",
    ),
    "analyst": ("access.view_totals", *WITHOUT_PATIENTS),
    "steward": (
        "analytics.view_scheduledimension",
        "analytics.view_activitydimension",
        "ingest.view_loadstate",
        "ingest.*_scheduleoverride",
    ),
    "operator": (
        "ingest.view_pipelinerun",
        "ingest.view_steprun",
        "ingest.add_runrequest",
        "ingest.view_alert",
        "ingest.view_loadstate",
        "ingest.view_coviddocument",
        "ingest.view_covidday",
        "ingest.view_schemachange",
    ),
    "auditor": ("access.view_accesslog",),
}
WHO_SEES_NO_PATIENTS = ("analyst", "steward", "operator")


def is_about_patients(permission: str) -> bool:
    """Tell whether none of those who may not see patients has a permission."""
    return not any(fnmatch(permission, each) for group in WHO_SEES_NO_PATIENTS for each in GROUPS[group])
