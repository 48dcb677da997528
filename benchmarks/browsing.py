"""A browser that costs little: plain HTTP over a kept connection, with cookies, for measuring what the server does."""

import http.client
import secrets
import string
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from django.conf import settings

from verbund.commands.walk.people import sign_in
from verbund.commands.walk.visitor import Visitor

_KEPT: Final = 10  # requests of one connection: people come and go, and the server deals them to its processes


class Unexpected(Exception):  # noqa: N818 - reads as the answer
    """The server has answered something else than the measurement counts on."""


@dataclass
class Browser:
    """One browser on the host of one body."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None
    _asked: int = 0

    def get(self, path: str) -> str:
        """The page at `path`, as text.

        Raises:
            Unexpected: it is none.
        """
        status, _location, content = self._ask("GET", path)
        if status != 200:
            raise Unexpected(f"GET {path}: {status}")
        return content.decode()

    def post(self, path: str, values: dict[str, str]) -> str:
        """Send a form; where the answer leads.

        Raises:
            Unexpected: it leads nowhere: the form was refused.
        """
        self._guard()
        body = urlencode({**values, "csrfmiddlewaretoken": self.cookies[settings.CSRF_COOKIE_NAME]}).encode()
        return self._sent(path, body, "application/x-www-form-urlencoded")

    def upload(self, path: str, values: dict[str, str], name: str, filename: str, content: bytes) -> str:
        """Send a form with one PDF; where the answer leads.

        Raises:
            Unexpected: it leads nowhere: the form was refused.
        """
        self._guard()
        border = secrets.token_hex(16)
        parts = []
        for field_name, value in {**values, "csrfmiddlewaretoken": self.cookies[settings.CSRF_COOKIE_NAME]}.items():
            parts.append(
                f'--{border}\r\nContent-Disposition: form-data; name="{field_name}"\r\n\r\n{value}\r\n'.encode()
            )
        head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts += [f"{head}Content-Type: application/pdf\r\n\r\n".encode(), content, f"\r\n--{border}--\r\n".encode()]
        return self._sent(path, b"".join(parts), f"multipart/form-data; boundary={border}")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _guard(self) -> None:
        """A token against forged requests, as the server would have given one with the page of the form."""
        if settings.CSRF_COOKIE_NAME not in self.cookies:
            letters = string.ascii_letters + string.digits
            self.cookies[settings.CSRF_COOKIE_NAME] = "".join(secrets.choice(letters) for _place in range(32))

    def _sent(self, path: str, body: bytes, media_type: str) -> str:
        status, location, content = self._ask("POST", path, body, media_type)
        if status != 302:
            raise Unexpected(f"POST {path}: {status} {content[:2000]!r}")
        return location

    def _ask(self, method: str, path: str, body: bytes | None = None, media_type: str = "") -> tuple[int, str, bytes]:
        headers = {"Host": f"{self.host}:{self.port}", "Accept-Language": "de"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if media_type:
            headers["Content-Type"] = media_type
        if self._asked >= _KEPT:
            self.close()
        kept = self._connection is not None
        connection = self._connected()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            if not kept:
                raise
            self.close()  # the server has closed what has rested too long; a browser asks again, too
            connection = self._connected()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
        self._asked += 1
        content = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location") or "", content

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self._asked = 0
        return self._connection


class _Desk(Visitor):
    def cookies(self) -> dict[str, str]:
        """The cookies of the signed-in browser."""
        return {cookie.name: cookie.value or "" for cookie in self._client.cookies.jar}


def signed_in(host: str, port: int, email: str, password: str) -> Browser:
    """A browser in which somebody has signed in at the workspace, through its pages."""
    desk = _Desk(host, port)
    try:
        sign_in(desk, email=email, password=password)
        return Browser(host, port, desk.cookies())
    finally:
        desk.close()
