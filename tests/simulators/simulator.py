"""What the simulated servers have in common: a certificate of their own, and how they say that they
are ready and when they end."""
import os
import ssl
import subprocess
import sys
import tempfile
import threading


def add_arguments(parser):
    """The arguments that every simulator takes."""
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--folder", help="for the certificate; default: a new temporary one")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")


def certificate(folder):
    """Make a self-signed certificate for this machine. Returns its path and that of the key."""
    folder = folder or tempfile.mkdtemp(prefix="simulator-")
    path, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", key, "-out", path],
        check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path, key


def server_context(path, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return context


def say_ready(port, certificate_path=""):
    """Three lines on standard output, the last of which is "ready"."""
    print(f"port {port}\ncertificate {certificate_path}\nready", flush=True)


def end_with_input():
    """End this process when standard input ends, which it does when its starter has died."""
    def wait():
        while sys.stdin.buffer.read(4096):
            pass
        os._exit(0)
    threading.Thread(target=wait, daemon=True).start()
