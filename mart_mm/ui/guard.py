"""Who may ask: requests of other sites are refused, and pages may load nothing from elsewhere.

A server on the loopback address is reached by every page that the browser shows. A foreign name that
resolves to 127.0.0.1 arrives with a foreign ``Host``; a form or script of another site with a foreign
``Origin``.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: sent with every answer
HEADERS = {
    'Content-Security-Policy': (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-cache',
}
LOOPBACK = ('127.0.0.1', 'localhost', '::1')
_READING = ('GET', 'HEAD')


class Guard:
    """Checks ``Host`` and ``Origin``, and adds the headers above.

    Args:
        app: What is guarded.
        allowed_hosts: Names, without port, that the page may be opened under besides the loopback's.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self.app = app
        self.allowed_hosts = frozenset(name.lower().strip('[]') for name in allowed_hosts)
        self.allowed_hosts |= frozenset(LOOPBACK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse in words."""
        if scope['type'] != 'http':
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message['type'] == 'http.response.start':
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self.app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        host = headers.get('host', '')
        if host_name(host) not in self.allowed_hosts:
            reason = f'this server is not called {host!r}: open it under the address it printed'
            return JSONResponse(dict(error=reason), 421)
        if scope['method'] not in _READING and not _is_same_site(headers, host):
            return JSONResponse(
                dict(error='requests of other sites are refused: use the page of this server'), 403
            )
        return None


def host_name(host: str) -> str:
    """A ``Host`` header without its port and, of IPv6, without brackets; empty where it is none."""
    try:
        return urlsplit(f'//{host}').hostname or ''
    except ValueError:
        return ''


def _is_same_site(headers: Headers, host: str) -> bool:
    origin = headers.get('origin')
    if origin is None:  # no browser, or an old one
        return headers.get('sec-fetch-site', 'none') in ('same-origin', 'none')
    return origin.lower() in (f'http://{host}'.lower(), f'https://{host}'.lower())
