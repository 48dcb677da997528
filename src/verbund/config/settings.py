"""Settings of an installation. Everything that differs between installations comes from the environment;
docs/operations/settings.md lists it."""

import json
import os
import secrets
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from .database import database
from .logs import LOGGING as LOGGING

SOURCE = Path(__file__).resolve().parents[1]
ROOT = Path(os.environ.get("VERBUND_ROOT", SOURCE.parents[1]))
VAR = Path(os.environ.get("VERBUND_VAR", ROOT / "var"))


def _flag(name: str, default: bool) -> bool:
    value = os.environ.get(name, "")
    return default if value == "" else value.lower() in {"1", "true", "yes", "on"}


DEMO = _flag("VERBUND_DEMO", False)
DEBUG = False
# Without a secret of its own a process makes one: good for checks, useless for serving, where `verbund` insists on one.
SECRET_KEY = os.environ.get("VERBUND_SECRET_KEY") or secrets.token_urlsafe(48)
SECRET_KEY_FALLBACKS = [k for k in os.environ.get("VERBUND_SECRET_KEY_FALLBACKS", "").split(",") if k]
# The tenancy middleware refuses every host that is not a body's; there is no second list to forget.
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("VERBUND_TRUSTED_ORIGINS", "").split(",") if o]

# --- apps ------------------------------------------------------------------------------------------------------------
SHARED_APPS = [
    "django_tenants",
    "verbund.platform.tenancy",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "verbund.platform.identity",
    "procrastinate.contrib.django",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
]
TENANT_APPS = [
    "verbund.platform.identity.local",
    "verbund.platform.audit",
    "verbund.platform.events",
    "verbund.platform.files",
    "verbund.platform.printing",
    "verbund.platform.rest",
    "verbund.platform.xml",
    "verbund.platform.ui",
    "verbund.modules.membership",
    "verbund.modules.records",
    "verbund.modules.budget",
    "verbund.modules.citizenservices",
    "verbund.modules.costsharing",
]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "tenancy.Body"
TENANT_DOMAIN_MODEL = "tenancy.Host"
TENANT_LIMIT_SET_CALLS = True
AUTH_USER_MODEL = "identity.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": database(os.environ)}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

# --- requests --------------------------------------------------------------------------------------------------------
MIDDLEWARE = [
    "verbund.platform.ui.requests.RequestMiddleware",
    "verbund.platform.rest.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "verbund.platform.ui.maintenance.MaintenanceMiddleware",
    "verbund.platform.tenancy.middleware.BodyMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "verbund.platform.identity.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "verbund.platform.ui.edge.EdgeMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "verbund.platform.ui.refusals.RefusalMiddleware",
]
ROOT_URLCONF = "verbund.config.urls"
WSGI_APPLICATION = "verbund.config.wsgi.application"
EVENT_HEARERS = "verbund.config.wiring.HEARERS"
EVENT_CROSSINGS = "verbund.config.wiring.CROSSINGS"
NAVIGATION = "verbund.config.wiring.NAVIGATION"
PORTAL_NAVIGATION = "verbund.config.wiring.PORTAL_NAVIGATION"
USER_NAVIGATION = "verbund.config.wiring.USER_NAVIGATION"
TIMED_WORK = "verbund.config.wiring.TIMED_WORK"
ROOM_NAMES = "verbund.config.wiring.ROOM_NAMES"
TAX_LINES = "verbund.config.wiring.TAX_LINES"
START_PAGE = "verbund.config.wiring.START_PAGE"
TEMPLATE_CHOICES = "verbund.config.wiring.TEMPLATE_CHOICES"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "verbund.platform.ui.context.face",
            ],
        },
    }
]

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [SOURCE / "config" / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Berlin"

# --- static files ----------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
NODE_MODULES = ROOT / "node_modules"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "verbund.platform.ui.assets.NpmFinder",
]
WHITENOISE_USE_FINDERS = False
STORAGES = {
    # Uploads go to platform.files, never to media storage.
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- security --------------------------------------------------------------------------------------------------------
SECURE = _flag("VERBUND_HTTPS", not DEMO)
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _flag("VERBUND_BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_ENGINE = "verbund.platform.identity.local.sessions"  # in the body's own schema
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-verbund" if SECURE else "verbund"
CSRF_COOKIE_NAME = "__Host-verbund-csrf" if SECURE else "verbund_csrf"
LANGUAGE_COOKIE_NAME = "__Host-verbund-language" if SECURE else "verbund_language"
MESSAGE_STORAGE = "verbund.platform.ui.notices.NoticeStorage"
VERBUND_NOTICE_COOKIE_NAME = "__Host-verbund-notices" if SECURE else "verbund_notices"
CSRF_FAILURE_VIEW = "verbund.platform.ui.refusals.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
VERBUND_MAINTENANCE_FILE = VAR / "maintenance"
VERBUND_REQUIRE_SECOND_FACTOR = _flag("VERBUND_REQUIRE_SECOND_FACTOR", not DEMO)
VERBUND_STAFF_IDLE_MINUTES = int(os.environ.get("VERBUND_STAFF_IDLE_MINUTES", "30"))
VERBUND_CITIZEN_IDLE_MINUTES = int(os.environ.get("VERBUND_CITIZEN_IDLE_MINUTES", "30"))
VERBUND_HANDOVER_DAYS = int(os.environ.get("VERBUND_HANDOVER_DAYS", "90"))
VERBUND_SESSION_HOURS = int(os.environ.get("VERBUND_SESSION_HOURS", "12"))
# How many proxies of ours stand before the web processes: without it a lock-out would count the proxy's address.
VERBUND_TRUSTED_PROXIES = int(
    os.environ.get("VERBUND_TRUSTED_PROXIES", "1" if _flag("VERBUND_BEHIND_PROXY", False) else "0")
)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
VERBUND_PASSKEY_DOMAIN = os.environ.get("VERBUND_PASSKEY_DOMAIN", "")
VERBUND_STAFF_OIDC = json.loads(os.environ.get("VERBUND_STAFF_OIDC") or "{}")
VERBUND_CITIZEN_OIDC = json.loads(os.environ.get("VERBUND_CITIZEN_OIDC") or "{}")
VERBUND_PUBLIC_PORT = os.environ.get("VERBUND_PUBLIC_PORT", "")  # a port that browsers must name, in links of mails
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
FILE_UPLOAD_TEMP_DIR = os.environ.get("VERBUND_UPLOAD_TEMP") or None

# --- files, mail, jobs -----------------------------------------------------------------------------------------------
VERBUND_FILES_BACKEND = os.environ.get("VERBUND_FILES_BACKEND", "local")
VERBUND_FILES_ROOT = Path(os.environ.get("VERBUND_FILES_ROOT", VAR / "files"))
VERBUND_UPLOAD_LIMIT = int(os.environ.get("VERBUND_UPLOAD_LIMIT", str(25 * 1024 * 1024)))
VERBUND_REQUEST_LIMIT = int(os.environ.get("VERBUND_REQUEST_LIMIT", str(VERBUND_UPLOAD_LIMIT + 5 * 1024 * 1024)))
VERBUND_API_RATE = int(os.environ.get("VERBUND_API_RATE", "600"))
VERBUND_CLAMD = os.environ.get("VERBUND_CLAMD", "")
VERBUND_S3 = {k.removeprefix("VERBUND_S3_").lower(): v for k, v in os.environ.items() if k.startswith("VERBUND_S3_")}
EMAIL_BACKEND = os.environ.get("VERBUND_EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = VAR / "mail"
EMAIL_HOST = os.environ.get("VERBUND_SMTP_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("VERBUND_SMTP_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("VERBUND_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("VERBUND_SMTP_PASSWORD", "")
EMAIL_USE_TLS = _flag("VERBUND_SMTP_TLS", EMAIL_HOST not in ("localhost", "127.0.0.1", "::1"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("VERBUND_MAIL_FROM", "verbund@localhost")
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
PROCRASTINATE_WORKER_DEFAULTS = {"listen_notify": True, "delete_jobs": "never", "fetch_job_polling_interval": 2.0}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
