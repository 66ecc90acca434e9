"""Serves the live page: plain files, and plotly's script from the installed package (no CDN)."""

import functools
import gzip
import importlib.metadata
import importlib.resources
import re
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

_STATIC = Path(__file__).with_name("static")
_PLOTLY_VERSION = importlib.metadata.version("plotly")
_YEAR_S = 31536000


def add_pages(app: FastAPI) -> None:
    """Put `/`, `/static/...` and the script of the charts into the app."""
    app.add_api_route("/", _page, include_in_schema=False)
    app.add_api_route(f"/plotly-{_PLOTLY_VERSION}.min.js", _plotly, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")


def _page() -> HTMLResponse:
    html = (_STATIC / "index.html").read_text(encoding="utf-8")
    html = html.replace("PLOTLY_VERSION", re.sub(r"[^0-9a-z.+-]", "", _PLOTLY_VERSION))
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})


def _plotly(request: Request) -> Response:
    # The version is in the name, so a phone loads these 5 MB (1.5 MB packed) once.
    headers = {"Cache-Control": f"public, max-age={_YEAR_S}, immutable"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return FileResponse(_plotly_path(), media_type="text/javascript", headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(_plotly_packed(), media_type="text/javascript", headers=headers)


def _plotly_path() -> Path:
    return Path(str(importlib.resources.files("plotly") / "package_data" / "plotly.min.js"))


@functools.cache
def _plotly_packed() -> bytes:
    return gzip.compress(_plotly_path().read_bytes(), compresslevel=6, mtime=0)
