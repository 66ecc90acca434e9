"""The other ends of the link over HTTP: a server that echoes frames, and TLS in front of one."""

import asyncio
import contextlib
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from peers import LoopThread


class EchoServer:
    """Python's own http.server; kill() cuts every connection. bodies: by path."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}
        self._sockets: list = []
        self._killed = False
        self._lock = threading.Lock()  # no answer is cut in its middle
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with peer._lock:
                    peer._sockets.append(self.connection)
                    if peer._killed:
                        _shut(self.connection)

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                peer.bodies.setdefault(self.path, []).append(body)
                with peer._lock, contextlib.suppress(OSError):  # killed meanwhile
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            do_POST = do_PUT = _answer  # noqa: N815  names that http.server fixes

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self) -> "EchoServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def kill(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            self._killed = True
            for sock in self._sockets:
                _shut(sock)

    def __exit__(self, *_: object) -> None:
        self._server.server_close()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by the node before
        sock.shutdown(socket.SHUT_RDWR)


class TlsProxy:
    """Ends TLS on 127.0.0.2, the address in the certificate, and passes on to a port."""

    def __init__(self, thread: LoopThread, certificates: Path, target_port: int) -> None:
        self._thread = thread
        self._target_port = target_port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates / "server.pem", certificates / "server.key")

    def __enter__(self) -> "TlsProxy":
        start = asyncio.start_server(self._serve, "127.0.0.2", 0, ssl=self._context)
        self._server = self._thread.run(start)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._close())

    async def _close(self) -> None:
        self._server.close()

    async def _serve(self, reader, writer) -> None:
        far_reader, far = await asyncio.open_connection("127.0.0.1", self._target_port)
        await asyncio.gather(_pass(reader, far), _pass(far_reader, writer))


async def _pass(reader, writer) -> None:
    try:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    except OSError:
        return  # cut; the other direction ends with the close
    finally:
        writer.close()
