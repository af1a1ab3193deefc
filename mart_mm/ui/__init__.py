"""The page of ``mart-mm ui``: a small server and what the browser runs (needs ``mart-mm[ui]``)."""

try:
    from mart_mm.ui.app import create_app
    from mart_mm.ui.limits import Limits
    from mart_mm.ui.server import serve
except ModuleNotFoundError as error:
    if error.name not in ('starlette', 'uvicorn'):
        raise
    raise ModuleNotFoundError(
        f'the page needs {error.name}: pip install "mart-mm[ui]"', name=error.name
    ) from error

__all__ = ['Limits', 'create_app', 'serve']
