"""The addresses of the site that show no patient, and why: every other one has to say whom it shows (log.py).

They are named as Django resolves them: by the name of the address, else by the view; a star stands for any letters.
"""

from fnmatch import fnmatchcase
from functools import cache

from django.urls import ResolverMatch

NO_PATIENT = {
    "adherence": "totals only",
    "steps": "totals only",
    "scores": "totals only",
    "covid": "national figures",
    "tables": "what the tables mean",
    "table": "what a table means",
    "home": "totals only",
    "runs": "operations: no error on record quotes a row",
    "run": "operations: no error on record quotes a row",
    "run_now": "operations",
    "favicon": "the icon",
    "healthz": "operations",
    "readyz": "operations",
    "metrics": "operations: what the runs count",
    # The admin: its frame, and who may come in.
    "account_*": "who comes in",
    "mfa_*": "who comes in",
    "oidc_*": "who comes in",
    "admin:index": "names of tables, and overrides that were saved",
    "admin:app_list": "names of tables",
    "admin:login": "who comes in",
    "admin:logout": "who goes",
    "admin:password_change": "who comes in",
    "admin:password_change_done": "who comes in",
    "admin:jsi18n": "words of the admin",
    "autocomplete": "there is no such page",
    "admin:autocomplete": "its address is that one's",
    "admin:view_on_site": "leads to another address",
    "admin:django.views.generic.base.RedirectView": "leads to another address",
    "admin:django.contrib.admin.sites.*": "there is no such page",
    "admin:auth_user_*": "who comes in",
    "admin:auth_group_*": "who may see what",
    # Tables of the star without patients, and what the pipeline has on record.
    "admin:analytics_journeydimension_*": "care pathways",
    "admin:analytics_journeyactivitybridge_*": "care pathways",
    "admin:analytics_activitydimension_*": "care pathways",
    "admin:analytics_scheduledimension_*": "care pathways",
    "admin:analytics_surveydimension_*": "surveys, without answers",
    "admin:analytics_devicedimension_*": "kinds of devices",
    "admin:analytics_datedimension_*": "the calendar",
    "admin:analytics_casesdimension_*": "national figures",
    "admin:analytics_casesfact_*": "national figures",
    "admin:analytics_testingfact_*": "national figures",
    "admin:analytics_hospitalizationfact_*": "national figures",
    "admin:analytics_deathfact_*": "national figures",
    "admin:analytics_fielddefinitionsdimension_*": "national figures",
    "admin:ingest_coviddocument_*": "national figures",
    "admin:ingest_covidday_*": "national figures",
    "admin:ingest_schemachange_*": "national figures",
    "admin:ingest_loadstate_*": "operations",
    "admin:ingest_pipelinerun_*": "operations: no error on record quotes a row",
    "admin:ingest_alert_*": "operations",
    "admin:ingest_scheduleoverride_changelist": "what schedules mean",
    "admin:ingest_scheduleoverride_history": "what schedules mean",
}


def shows_no_patient(match: ResolverMatch) -> bool:
    """Tell whether an address is one of these."""
    return _is_listed(match.view_name)


@cache
def _is_listed(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in NO_PATIENT)
