"""Django's settings. What differs between installations comes from the environment (docs/configuration.md)."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.checks.security.base import SECRET_KEY_INSECURE_PREFIX as INSECURE_PREFIX
from django.core.checks.security.base import SECRET_KEY_MIN_LENGTH as MIN_LENGTH
from django.core.checks.security.base import SECRET_KEY_MIN_UNIQUE_CHARACTERS as MIN_UNIQUE_CHARACTERS
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from access.groups import GROUPS
from pipeline_project import addresses, env, tls

BASE_DIR = Path(__file__).resolve().parent.parent
# As in .env.example, for all to read: refused in production.
EXAMPLE_SECRET_KEY = "change-me-this-is-the-key-of-the-example"  # noqa: S105
EXAMPLE_PASSWORD = "postgres"  # noqa: S105
EXAMPLE_PASSWORDS = {"loader": "loader", "web": "web", "reader": "reader"}  # of the roles

DEBUG = env.boolean("DEBUG", default=False)
# Without a key every process makes its own: safe, but a login then ends with the process.
SECRET_KEY = env.secret("SECRET_KEY") or get_random_secret_key()
if not DEBUG:
    _key = SECRET_KEY.strip()
    _remedy = "set it to what this prints: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
    if _key == EXAMPLE_SECRET_KEY:
        raise ImproperlyConfigured(f"SECRET_KEY is the one of .env.example and DEBUG is off: {_remedy}")
    # The rule of Django's check security.W009, which only check --deploy asks.
    if len(_key) < MIN_LENGTH or len(set(_key)) < MIN_UNIQUE_CHARACTERS or _key.startswith(INSECURE_PREFIX):
        raise ImproperlyConfigured(
            f"SECRET_KEY is weak and DEBUG is off: it takes {MIN_LENGTH} characters, {MIN_UNIQUE_CHARACTERS} of them "
            f"different, and another beginning than {INSECURE_PREFIX}; {_remedy}"
        )
ALLOWED_HOSTS = [
    "127.0.0.1",  # by which the container asks for its own health
    *addresses.hosts("ALLOWED_HOSTS", "localhost,[::1]"),
]

# --- Databases: the design's three, on one server unless MSK_SOURCE_* says otherwise

POSTGRES_HOST = addresses.server("POSTGRES_HOST", "localhost")
POSTGRES_PORT = env.integer("POSTGRES_PORT", 5432, minimum=1, maximum=65535)
POSTGRES_USER = env.text("POSTGRES_USER", "postgres")
POSTGRES_PASSWORD = env.secret("POSTGRES_PASSWORD")
if POSTGRES_PASSWORD.strip() == EXAMPLE_PASSWORD and not DEBUG:
    raise ImproperlyConfigured(
        "POSTGRES_PASSWORD is the one of .env.example and DEBUG is off: give the database user one of your own, "
        f"in Docker with docker compose exec db psql -U {POSTGRES_USER} -d postgres -c '\\password', and set it in .env"
    )
# Who this process is at the databases: entrypoint.sh says so for each that it starts, manage.py by the command.
PIPELINE_ROLE = env.choice("PIPELINE_ROLE", "owner", "loader", "web")
READER_USER = env.text("READER_USER", "msk_reader")
# The roles that have a password, each with its login. Without one the owner does what a role would.
DATABASE_ROLES = {
    role: {"USER": user, "PASSWORD": password}
    for role, user, password in (
        ("loader", env.text("LOADER_USER", "msk_loader"), env.secret("LOADER_PASSWORD")),
        ("web", env.text("WEB_USER", "msk_web"), env.secret("WEB_PASSWORD")),
        ("reader", READER_USER, env.secret("READER_PASSWORD")),
    )
    if password
}
for _role, _login in DATABASE_ROLES.items():
    if _login["PASSWORD"].strip() == EXAMPLE_PASSWORDS[_role] and not DEBUG:
        raise ImproperlyConfigured(
            f"{_role.upper()}_PASSWORD is the one of .env.example and DEBUG is off: set one of your own in .env, which "
            f"{_login['USER']} is given when the databases are prepared"
        )
CONNECT_TIMEOUT_SECONDS = env.integer("CONNECT_TIMEOUT_SECONDS", 10, minimum=2, maximum=3600)  # libpq's least is 2
STATEMENT_TIMEOUT_SECONDS = env.integer("STATEMENT_TIMEOUT_SECONDS", 3600, minimum=0, maximum=86_400)
# A server that is gone without a word is noticed after a minute, not after the hours that TCP would wait.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
EMBEDDED = env.boolean("POSTGRES_EMBEDDED", default=False)  # set by pipeline_project.embedded, by nobody else


def _login_of(role: str) -> dict[str, str]:
    # A role without a password of its own comes to a database as the owner.
    return DATABASE_ROLES.get(role, {"USER": POSTGRES_USER, "PASSWORD": POSTGRES_PASSWORD})


def _database(name: str, session: str = "", **connection: Any) -> dict[str, Any]:
    # A run is idle in its transaction at one server while it works at another (ingest/apps.py: of newer servers).
    limits = f"-c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s -c idle_in_transaction_session_timeout=0"
    options = f"-c timezone=UTC {limits} {session}"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "HOST": POSTGRES_HOST,
        "PORT": POSTGRES_PORT,
        **_login_of(PIPELINE_ROLE),
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": options.strip()} | KEEPALIVES,
    } | connection


_reader = _login_of("reader" if PIPELINE_ROLE == "loader" else "owner")
DATABASES = {
    "default": _database(env.text("POSTGRES_DB", "msk_database")),
    "analytics": _database(
        env.text("POSTGRES_ANALYTICS_DB", "analytics_db"),
        # The server looks whether we are still there: the transaction of a run that was killed would else go on, and
        # keep its lock, until the statement is done.
        session="-c client_connection_check_interval=1s",
    ),
    "msk_db": _database(
        env.text("POSTGRES_SECONDARY_DB", "msk_db"),
        # The server itself refuses a write, whoever sends it.
        session="-c default_transaction_read_only=on",
        HOST=addresses.server("MSK_SOURCE_HOST", POSTGRES_HOST),
        PORT=env.integer("MSK_SOURCE_PORT", POSTGRES_PORT, minimum=1, maximum=65535),
        USER=env.text("MSK_SOURCE_USER", _reader["USER"]),
        PASSWORD=env.secret("MSK_SOURCE_PASSWORD", _reader["PASSWORD"]),
    ),
}
_places = [(each["HOST"], each["PORT"], each["NAME"]) for each in DATABASES.values()]
for _place in _places:
    if _places.count(_place) > 1:
        raise ImproperlyConfigured(
            "POSTGRES_DB, POSTGRES_ANALYTICS_DB and POSTGRES_SECONDARY_DB must be three databases: "
            f"{_place[-1]} is named twice"
        )
# With no server named there is but this machine to go to, as where the image is built.
_named = env.text("POSTGRES_HOST")
_tls = tls.options("POSTGRES", _named, production=not DEBUG, default={})
_source_tls = tls.options(
    "MSK_SOURCE",
    env.text("MSK_SOURCE_HOST", _named),
    production=not DEBUG,
    default=_tls if all(DATABASES["msk_db"][part] == DATABASES["default"][part] for part in ("HOST", "PORT")) else {},
)
for _alias, _described in DATABASES.items():
    _described["OPTIONS"] |= _source_tls if _alias == "msk_db" else _tls
# What pages have worked out, for all processes: prepare_databases makes the table.
CACHES = {
    "default": {
        "BACKEND": "analytics.pages.cache.AnswerCache",
        "LOCATION": "kept_answer",
        "TIMEOUT": 24 * 3600,
        "OPTIONS": {"MAX_ENTRIES": 2000},
    }
}
DATABASE_ROUTERS = ["pipeline_project.routers.DatabaseRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- The pipeline

COVID_API_URL = addresses.documents("COVID_API_URL", "https://api.covidtracking.com/v2")
# Retired: keep let orphans into the star. Whoever still asks for that is told that they no longer enter it.
_orphans = env.text("MSK_ORPHANS", "reject")
if _orphans.lower() != "reject":
    raise ImproperlyConfigured(
        f"MSK_ORPHANS={_orphans} is retired: remove MSK_ORPHANS; orphans do not enter the star, "
        "and the table rejected_row lists each with its whole row"
    )
PIPELINE_TRIGGER = env.choice("PIPELINE_TRIGGER", "manual", "cron")  # the cron jobs set it, nobody else
MAX_AGE_HOURS = {
    "msk": env.integer("MSK_MAX_AGE_HOURS", 3, minimum=1, maximum=8760),
    "covid": env.integer("COVID_MAX_AGE_HOURS", 36, minimum=1, maximum=8760),
}
RUN_HISTORY_DAYS = env.integer("RUN_HISTORY_DAYS", 90, minimum=1, maximum=36500)
ACCESS_LOG_DAYS = env.integer("ACCESS_LOG_DAYS", 2190, minimum=30, maximum=36500)  # six years, as HIPAA has it
# A figure of fewer patients is not shown to who may not see patients; 0 or 1 shows all.
SMALL_NUMBERS_BELOW = env.integer("SMALL_NUMBERS_BELOW", 5, minimum=0, maximum=1000)
MSK_MAX_DELETE_PERCENT = env.integer("MSK_MAX_DELETE_PERCENT", 50, minimum=0, maximum=100)
PSEUDONYM_KEY = env.secret("PSEUDONYM_KEY")
if PSEUDONYM_KEY and len(PSEUDONYM_KEY.strip()) < 32:
    raise ImproperlyConfigured(
        "PSEUDONYM_KEY is weak: it takes 32 characters; set it to what this prints: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )

# --- Alerts

REJECTS_ALERT_PERCENT = env.integer("REJECTS_ALERT_PERCENT", 20, minimum=0, maximum=1_000_000)
# Not Django's own ADMINS, whom it would mail each error of a page, with all that its traceback quotes.
ALERT_MAIL_TO = addresses.mails("ADMINS")
ALERT_WEBHOOK_URL = addresses.secret_url("ALERT_WEBHOOK_URL")
ALERT_TIMEOUT_SECONDS = EMAIL_TIMEOUT = 10
EMAIL_HOST = addresses.server("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25, minimum=1, maximum=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=False)
SERVER_EMAIL = addresses.mail("SERVER_EMAIL", "msk-pipeline@localhost")

# --- Monitors: docs/monitoring.md

METRICS_TOKEN = env.secret("METRICS_TOKEN").strip()
if METRICS_TOKEN and not re.fullmatch("[!-~]{16,}", METRICS_TOKEN):
    raise ImproperlyConfigured(
        "METRICS_TOKEN is weak: it takes 16 letters, digits or signs of ASCII, and no space; set it to what this "
        "prints: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
    )
PING_URL = addresses.secret_base("PING_URL")
PING_TIMEOUT_SECONDS = 5

# --- Security, beside what Django does by itself: HttpOnly sessions, X-Frame-Options, Referrer-Policy, nosniff

# In production nothing is served in the clear, but to the monitors that ask the container itself, by whatever name.
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)/?$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
# The header speaks for this host alone. What its subdomains serve, and whether browsers should ship with its whole
# domain in their lists, which nobody can take back for months, is for the owner of the domain to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Anybody can send these headers: believed only where a proxy is known to set them.
BEHIND_TLS_PROXY = env.boolean("BEHIND_TLS_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
CSRF_TRUSTED_ORIGINS = addresses.origins("CSRF_TRUSTED_ORIGINS")
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600  # a working day
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# A name and an address together are locked: a stranger cannot lock out the owner of a name, who is elsewhere.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "locked_out.html"
AXES_CLIENT_IP_CALLABLE = "pipeline_project.clients.address"
AXES_USERNAME_CALLABLE = "pipeline_project.clients.username"
AXES_VERBOSE = False  # a log line names the address alone
AXES_SENSITIVE_PARAMETERS = ["username", "code", "credential"]  # a username is what people type passwords into
AXES_DISABLE_ACCESS_LOG = True  # it would grow without end; auth_user.last_login says who came when
AXES_ENABLE_ADMIN = False  # manage.py axes_list_attempts shows the locks, axes_reset opens them

# --- Who comes in: access/ says how; django-allauth does the codes, the passkeys and the talk with the provider

REQUIRE_MFA = env.boolean("REQUIRE_MFA", default=not DEBUG)
OIDC_ISSUER = addresses.issuer("OIDC_ISSUER", in_the_clear=DEBUG)
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET")
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid profile").split()
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
# What the claim says, and the group that this means here; by default the groups go by their own names.
OIDC_GROUPS = env.pairs("OIDC_GROUPS") or [(group, group) for group in GROUPS]
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("OIDC_ISSUER is set: set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, which it gave you, too")
for _value, _group in OIDC_GROUPS:
    if _group not in GROUPS:
        raise ImproperlyConfigured(f"OIDC_GROUPS holds {_value}={_group}, which is no group: {', '.join(GROUPS)}")
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "access.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60  # seconds; also of files about patients, and of changes to users
SOCIALACCOUNT_ADAPTER = "access.adapters.ProviderAdapter"
MFA_ADAPTER = "access.adapters.FactorAdapter"
MFA_FORMS = {"authenticate": "access.factors.CodeForm", "authenticate_webauthn": "access.factors.PasskeyForm"}
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "MSK warehouse"
MFA_TOTP_TOLERANCE = 1  # half a minute, for a clock that is not right
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG

# --- Cron, by django-crontab; entrypoint.sh installs the jobs

CRON = env.choice("CRON", "on", "off")
MSK_CRON = env.cron("MSK_CRON", "0 * * * *")
COVID_CRON = env.cron("COVID_CRON", "30 5 * * *")
CRONJOBS = [
    (when, "pipeline_project.cron.run_pipeline", [source])
    for source, when in (("msk", MSK_CRON), ("covid", COVID_CRON))
    if when and CRON == "on"
]
CRONTAB_COMMAND_PREFIX = "PIPELINE_TRIGGER=cron"
# crond would not start a job whose last start still runs, and would not say which source was not looked at.
CRONTAB_COMMAND_SUFFIX = "&"

# --- Django

INSTALLED_APPS = [
    "access",
    "analytics",  # before the admin, whose templates it extends
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "axes",
    "django_crontab",
    "ingest",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "pipeline_project.middleware.HostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "access.middleware.LoginMiddleware",
    "axes.middleware.AxesMiddleware",
    "access.log.AccessLogMiddleware",  # the last: it sees what a view answers, and nothing answers in its place
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
ROOT_URLCONF = "pipeline_project.urls"
WSGI_APPLICATION = "pipeline_project.wsgi.application"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = "pipeline_project.formats"
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".local" / "static"
# Gunicorn reads it by itself, and would refuse it with a traceback.
WEB_CONCURRENCY = env.integer("WEB_CONCURRENCY", 2, minimum=1, maximum=256)

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
        "json": {"()": "pipeline_project.logs.ObjectFormatter"},
    },
    "filters": {"refusals": {"()": "pipeline_project.logs.RefusalFilter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["refusals"]}},
    "loggers": {
        **{
            name: {"handlers": ["stderr"], "level": "WARNING", "propagate": False}
            for name in ("django", "ingest", "analytics", "access", "allauth", "axes")
        },
        # What happens to a run its command tells a person by itself: see ingest/runs/command.py.
        "ingest.runs": {"level": "CRITICAL"},
        # Its warnings may quote an address, which may hold a token.
        "urllib3": {"level": "ERROR"},
    },
}
