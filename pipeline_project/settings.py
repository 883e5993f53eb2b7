"""Django's settings. What differs between installations comes from the environment (README, Configuration)."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from pipeline_project import env

BASE_DIR = Path(__file__).resolve().parent.parent
EXAMPLE_SECRET_KEY = "change-me-this-is-the-key-of-the-example"  # noqa: S105  (as in .env.example; refused in production)

DEBUG = env.boolean("DEBUG", default=False)
# Without a key every process makes its own: safe, but a login then ends with the process.
SECRET_KEY = env.secret("SECRET_KEY") or get_random_secret_key()
if SECRET_KEY == EXAMPLE_SECRET_KEY and not DEBUG:
    raise ImproperlyConfigured(
        "SECRET_KEY is the one of .env.example and DEBUG is off: set SECRET_KEY to a long random text of your own"
    )
ALLOWED_HOSTS = [
    "127.0.0.1",  # by which the container asks for its own health
    *(host.strip() for host in env.text("ALLOWED_HOSTS", "localhost,[::1]").split(",")),
]

# --- Databases: the design's three, on one server unless MSK_SOURCE_* says otherwise

POSTGRES_HOST = env.text("POSTGRES_HOST", "localhost")
POSTGRES_PORT = env.integer("POSTGRES_PORT", 5432, minimum=1, maximum=65535)
POSTGRES_USER = env.text("POSTGRES_USER", "postgres")
POSTGRES_PASSWORD = env.secret("POSTGRES_PASSWORD")
CONNECT_TIMEOUT_SECONDS = 10
EMBEDDED = env.boolean("POSTGRES_EMBEDDED", default=False)  # set by pipeline_project.embedded, by nobody else


def _database(name: str, session: str = "", **connection: Any) -> dict[str, Any]:
    """Return Django's description of the PostgreSQL database `name`; `session` are the server's options for it."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "HOST": POSTGRES_HOST,
        "PORT": POSTGRES_PORT,
        "USER": POSTGRES_USER,
        "PASSWORD": POSTGRES_PASSWORD,
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": f"-c timezone=UTC {session}".strip()},
    } | connection


DATABASES = {
    "default": _database(env.text("POSTGRES_DB", "msk_database")),
    "analytics": _database(env.text("POSTGRES_ANALYTICS_DB", "analytics_db")),
    "msk_db": _database(
        env.text("POSTGRES_SECONDARY_DB", "msk_db"),
        # The server itself refuses a write, whoever sends it.
        session="-c default_transaction_read_only=on",
        HOST=env.text("MSK_SOURCE_HOST", POSTGRES_HOST),
        PORT=env.integer("MSK_SOURCE_PORT", POSTGRES_PORT, minimum=1, maximum=65535),
        USER=env.text("MSK_SOURCE_USER", POSTGRES_USER),
        PASSWORD=env.secret("MSK_SOURCE_PASSWORD", POSTGRES_PASSWORD),
    ),
}
DATABASE_ROUTERS = ["pipeline_project.routers.DatabaseRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The pipeline

COVID_API_URL = env.text("COVID_API_URL", "https://api.covidtracking.com/v2")
MSK_ORPHANS = env.choice("MSK_ORPHANS", "reject", "keep")
PIPELINE_TRIGGER = env.choice("PIPELINE_TRIGGER", "manual", "cron")  # the cron jobs set it, nobody else
MAX_AGE_HOURS = {
    "msk": env.integer("MSK_MAX_AGE_HOURS", 3, minimum=1, maximum=8760),
    "covid": env.integer("COVID_MAX_AGE_HOURS", 36, minimum=1, maximum=8760),
}
RUN_HISTORY_DAYS = env.integer("RUN_HISTORY_DAYS", 90, minimum=1, maximum=36500)
MSK_MAX_DELETE_PERCENT = env.integer("MSK_MAX_DELETE_PERCENT", 50, minimum=0, maximum=100)

# --- Django

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ingest",
    "analytics",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Those who ask for the container's health speak plain HTTP, whatever browsers are made to speak.
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
ROOT_URLCONF = "pipeline_project.urls"
WSGI_APPLICATION = "pipeline_project.wsgi.application"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en-gb"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".local" / "static"

LOG_FORMAT = env.choice("LOG_FORMAT", "text", "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "pipeline_project.logs.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{levelname}{name}{message}",
            "style": "{",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": True,
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "loggers": {
        **{name: {"handlers": ["stderr"], "level": "WARNING"} for name in ("ingest", "analytics")},
        # What happens to a run its command tells a person by itself: see ingest/commands.py.
        "ingest.runs": {"level": "CRITICAL"},
    },
}
