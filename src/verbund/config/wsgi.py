"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verbund.config.settings")

application = get_wsgi_application()

from verbund.config import outgoing  # noqa: E402 - its settings are there only now

outgoing.enforce()
