#!/usr/bin/python3
"""An HTTP server that misbehaves as the path says.

    webserver.py [--port N] [--address IP] [--tls] [--folder DIR] [--until-eof]

Says "port N", "certificate PATH" and "ready" on standard output.

    /echo             JSON: method, path, headers, body, and the number of this connection
    /status/NNN       an answer with that status
    /redirect         302 to /echo
    /slow/SECONDS     waits before the answer
    /drip             one byte each 0.2 s, for ever
    /huge/BYTES       that many bytes, length announced
    /endless          chunks without end
    /chunked          three chunks, "one two three"
    /headers          headers without end
    /broken           announces 100 bytes, sends 10, closes
    /garbage          an answer that is not HTTP
    /close            closes the connection without an answer
    /nul              a body with a NUL byte
    /empty            204 without a body or type
"""
import argparse
import itertools
import json
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import simulator

connections = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body = b""

    def setup(self):
        super().setup()
        self.number = next(connections)

    def log_message(self, format, *arguments):
        pass

    def answer(self, body, status=200, content_type="text/plain; charset=utf-8"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.path.partition("?")[0].split("/") + [""]
        work = getattr(self, "serve_" + parts[1], None)
        try:
            work(parts[2]) if work else self.answer(b"no such page", 404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = serve

    def serve_echo(self, _):
        seen = {"method": self.command, "path": self.path, "connection": self.number,
                "headers": [f"{name}: {value}" for name, value in self.headers.items()],
                "body": self.body.decode("utf-8", "replace")}
        self.answer(json.dumps(seen).encode(), content_type="application/json")

    def serve_status(self, status):
        self.answer(b"status " + status.encode(), int(status))

    def serve_redirect(self, _):
        self.send_response(302)
        self.send_header("Location", "/echo")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve_slow(self, seconds):
        time.sleep(float(seconds))
        self.answer(b"late")

    def serve_drip(self, _):
        self.begin()
        while True:
            self.chunk(b".")
            time.sleep(0.2)

    def serve_huge(self, size):
        self.answer(b"x" * int(size))

    def serve_endless(self, _):
        self.begin()
        while True:
            self.chunk(b"x" * 65536)

    def serve_chunked(self, _):
        self.begin()
        for word in (b"one ", b"two ", b"three", b""):
            self.chunk(word)

    def serve_headers(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-More: " + b"y" * 1000 + b"\r\n")

    def serve_broken(self, _):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"0123456789")
        self.close_connection = True

    def serve_garbage(self, _):
        self.wfile.write(b"\x00\xff this is no HTTP\r\n\r\n")
        self.close_connection = True

    def serve_close(self, _):
        self.close_connection = True

    def serve_nul(self, _):
        self.answer(b"a\0b")

    def serve_empty(self, _):
        self.send_response(204)
        self.end_headers()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # Clients that go away, or that do not like our certificate, are what tests are about.
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    simulator.add_arguments(parser)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--address", default="127.0.0.1")
    options = parser.parse_args()
    server = Server((options.address, options.port), Handler)
    path = ""
    if options.tls:
        path, key = simulator.certificate(options.folder)
        context = simulator.server_context(path, key)
        # The handshake is done in the connection's own thread, at its first read.
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    if options.until_eof:
        simulator.end_with_input()
    simulator.say_ready(server.server_address[1], path)
    server.serve_forever()


if __name__ == "__main__":
    main()
