"""Answers that are files which may make room for others at any moment."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from mart_mm.ui.library import GoneError


class StoredFile(FileResponse):
    """A file of the page; one that is removed before it is open is refused, as if it were never there.

    What is open is sent to its end.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer.

        Raises:
            GoneError: When the file is not there any more; nothing has been sent then.
        """
        head: Message | None = None

        async def send_when_open(message: Message) -> None:
            nonlocal head
            if message['type'] == 'http.response.start':
                head = message
                return
            if head is not None:
                await send(head)
                head = None
            await send(message)

        try:
            await super().__call__(scope, receive, send_when_open)
        except (FileNotFoundError, RuntimeError) as error:
            if Path(self.path).exists():
                raise
            raise GoneError('the file has made room for others: upload the video again') from error
