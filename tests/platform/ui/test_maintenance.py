from pathlib import Path
from typing import Any

import pytest


@pytest.mark.django_db
def test_while_the_house_is_closed_every_page_says_so_and_health_goes_on(
    client_of: Any, settings: Any, tmp_path: Path
) -> None:
    settings.VERBUND_MAINTENANCE_FILE = tmp_path / "maintenance"
    client = client_of("alpha")
    assert client.get("/impressum/").status_code == 200
    settings.VERBUND_MAINTENANCE_FILE.touch()
    closed = client.get("/impressum/")
    assert (closed.status_code, closed.headers["Retry-After"]) == (503, "300")
    assert b"</html>" in closed.content
    assert client.get("/healthz").status_code == 200
