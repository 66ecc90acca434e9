"""Frames over HTTP: the routes that write, beside the read-only ones of api.py.

The line of DESIGN.md this serves: uplink -> gateway. POST /api/up/<device>: a frame; 200 with its
ack once it is committed. PUT /api/info/<device>: the node's CBOR map, signed (Hedge-Mac) where
keys are used. What is refused says why in one line of text: 4xx for good, 503 for now. Without
keys, a broker that asks for an account makes this door ask for the same (RFC 7617, Basic).

The body must be application/octet-stream: a web page that a user visits cannot send that to
another host unless it is asked first (a CORS preflight, which nobody here answers).
"""

from base64 import b64encode
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Request, Response
from starlette.requests import ClientDisconnect

from hedge.wire.mac import hmac_sha256, same
from hedgerow.errors import GatewayError
from hedgerow.gateway.messages import Refused
from hedgerow.gateway.runtime import Runtime

router = APIRouter(prefix="/api")

_MAX_BODY_BYTES = 8192  # an info map of a hundred channels
_RETRY_AFTER_S = 10
_STATUS = {"oversize": 413, "mac": 401}

DeviceId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,24}$")]


@router.post("/up/{device}", response_class=Response)
async def take_frame(request: Request, device: DeviceId) -> Response:
    """One frame of a node; answers with its ack, after the commit."""
    return await _take(request, device, "up")


@router.put("/info/{device}", response_class=Response)
async def take_info(request: Request, device: DeviceId) -> Response:
    """What a node tells about itself, as a CBOR map; an empty body only asks whether we listen."""
    return await _take(request, device, "info")


async def _take(request: Request, device: str, kind: str) -> Response:
    runtime: Runtime = request.app.state.runtime
    if not _may_enter(runtime, request.headers.get("authorization", "")):
        return _say(401, "account: user and password as for the broker, or frames with keys")
    if request.headers.get("content-type") != "application/octet-stream":
        return _say(415, "content-type must be application/octet-stream")
    try:
        body = await _body(request)
    except ClientDisconnect:  # a node that lost its power or its network; nobody hears this
        return _say(400, "the body ended early")
    if body is None:
        return _say(413, f"more than {_MAX_BODY_BYTES} bytes")
    if kind == "info":
        if not _is_signed(runtime, device, body, request.headers.get("hedge-mac", "")):
            return _say(401, "mac: the info map is not signed with this device's key")
        if not body:
            return Response(status_code=204)
    try:
        ack = await runtime.intake.submit(device, body, source="http", kind=kind)
    except Refused as refused:
        return _say(_STATUS.get(refused.reason, 400), f"{refused.reason}: {refused}")
    except GatewayError as error:
        return _say(503, str(error))
    return Response(ack, media_type="application/octet-stream")


def _may_enter(runtime: Runtime, authorization: str) -> bool:
    user, password = runtime.broker.address.user, runtime.broker.address.password
    if (
        runtime.config.keys or user is None
    ):  # the frame itself proves who sends; or MQTT is open as well
        return True
    expected = b64encode(f"{user}:{password}".encode()).decode()
    return compare_digest(f"Basic {expected}".encode(), authorization.encode())


async def _body(request: Request) -> bytes | None:
    """None if it is too long; no more than that is kept."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY_BYTES:
            return None
    return body


def _is_signed(runtime: Runtime, device: str, info: bytes, mac: str) -> bool:
    key_of = runtime.config.key_of()
    if key_of is None:
        return True
    key = key_of(device)
    if not key:
        return False
    expected = hmac_sha256(key, b"info" + device.encode() + b"\0" + info)
    return bool(same(expected.hex().encode(), mac.encode()))


def _say(status: int, text: str) -> Response:
    headers = {503: {"Retry-After": str(_RETRY_AFTER_S)}, 401: {"WWW-Authenticate": "Basic"}}
    return Response(text[:200], status, headers.get(status), media_type="text/plain")


def add_http_door(app: FastAPI) -> None:
    """Put the routes into the app."""
    app.include_router(router)
