from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Star schema"

    def ready(self) -> None:
        from analytics import deploy, unrecorded  # noqa: F401  (they register checks)
        from analytics.pages.answers import forget_after_a_run
        from ingest.runs.run import committed

        committed.connect(forget_after_a_run)
