"""The HTTP routes: read-only, parameters checked, errors as JSON {"detail": ...}.

Route functions are synchronous, so FastAPI runs them in threads, each with its own reader.
"""

import sqlite3
import time
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse

from hedgerow.gateway import models, queries, series, spans
from hedgerow.gateway.database import open_reader
from hedgerow.gateway.runtime import Runtime

router = APIRouter(prefix="/api")

_MAX_TIME_S = 2**33  # year 2242


def _runtime(request: Request) -> Runtime:
    return request.app.state.runtime


def _reader(request: Request) -> Iterator[sqlite3.Connection]:
    reader = open_reader(_runtime(request).config.db_path)
    try:
        yield reader
    finally:
        reader.close()


Reader = Annotated[sqlite3.Connection, Depends(_reader)]
Here = Annotated[Runtime, Depends(_runtime)]
DeviceId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,24}$")]
Name = Annotated[str, Query(min_length=1, max_length=64, description='e.g. "soil.vwc"')]
From = Annotated[float | None, Query(alias="from", ge=0, le=_MAX_TIME_S, allow_inf_nan=False)]
To = Annotated[float | None, Query(alias="to", ge=0, le=_MAX_TIME_S, allow_inf_nan=False)]
Points = Annotated[int, Query(ge=2, le=5000, description="most rows to return")]
U32 = Annotated[int, Query(ge=0, lt=2**32)]
Limit = Annotated[int, Query(ge=1, le=1000)]


def _range(from_s: float | None, to_s: float | None) -> tuple[float, float]:
    """Both ends, 0 and the far future where not given. Raises 422 if they are swapped."""
    low, high = from_s or 0.0, _MAX_TIME_S if to_s is None else to_s
    if low >= high:
        raise HTTPException(422, detail="from must be before to")
    return low, high


@router.get("/devices", response_model=list[models.Device])
def list_devices(reader: Reader) -> Any:
    """All nodes with their last values."""
    return queries.devices(reader)


@router.get("/devices/{device}", response_model=models.Device)
def get_device(reader: Reader, device: DeviceId) -> Any:
    """One node with its last values."""
    return queries.device(reader, device)


@router.get("/devices/{device}/series", response_model=models.Series)
def get_series(
    reader: Reader,
    device: DeviceId,
    name: Name,
    from_s: From = None,
    to_s: To = None,
    points: Points = 800,
) -> Any:
    """Values of one name over time, in buckets of mean, min and max if there are many."""
    return series.read_within(reader, device, name, _range(from_s, to_s), points)


@router.get("/devices/{device}/events", response_model=list[models.Event])
def get_events(
    reader: Reader,
    device: DeviceId,
    kind: Annotated[str, Query(max_length=64)] = "",
    from_s: From = None,
    to_s: To = None,
    limit: Limit = 200,
) -> Any:
    """Decisions, link changes, sensor failures, boots; newest first. kind: how the name begins."""
    return queries.events(reader, device, *_range(from_s, to_s), kind, limit)


@router.get("/devices/{device}/spans", response_model=list[models.Span])
def get_spans(reader: Reader, device: DeviceId, from_s: From = None, to_s: To = None) -> Any:
    """Outages, off times, dropped records, failed sensors, silence."""
    return [
        {"kind": s.kind, "from_s": s.from_s, "to_s": s.to_s, "text": s.text}
        for s in spans.of_device(reader, device, *_range(from_s, to_s))
    ]


@router.get("/devices/{device}/sequences", response_model=models.Sequences)
def get_sequences(reader: Reader, device: DeviceId) -> Any:
    """Per (boot, stream): acknowledged up to, how many stored, and what is missing for good."""
    return {"sequences": queries.sequences(reader, device)}


@router.get("/devices/{device}/records", response_model=models.Records)
def get_records(
    reader: Reader,
    device: DeviceId,
    boot: U32,
    stream: Annotated[int, Query(ge=0, le=255)],
    after: U32 = 0,
    limit: Limit = 1000,
) -> Any:
    """Stored payloads of one (boot, stream), as the node wrote them: for audits."""
    return {"records": queries.records(reader, device, (boot, stream), after, limit)}


@router.get("/alerts", response_model=list[models.Alert])
def list_alerts(
    reader: Reader, open_only: Annotated[bool, Query(alias="open")] = False, limit: Limit = 200
) -> Any:
    """Open alerts first, then the closed ones, newest first."""
    return queries.alerts(reader, open_only=open_only, limit=limit)


@router.get("/stats", response_model=models.Stats)
def get_stats(reader: Reader, runtime: Here) -> Any:
    """Totals, and the time at which charts end."""
    own = {"note": runtime.config.note, "revision": runtime.revision}
    return {**queries.stats(reader, time.time()), **own}


@router.get("/health", response_model=models.Health)
def get_health(runtime: Here) -> Any:
    """503 while records cannot be taken or stored."""
    health = runtime.health()
    return JSONResponse(health, status_code=200 if health["status"] == "ok" else 503)


def add_api(app: FastAPI) -> None:
    """Put the routes and their error answers into the app."""
    app.include_router(router)
    app.add_exception_handler(queries.NotFound, _not_found)
    app.add_exception_handler(sqlite3.Error, _no_database)


def _not_found(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=404)


def _no_database(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"database: {error}"}, status_code=503)
