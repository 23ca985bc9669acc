"""A network of one's own, in which packets can be dropped: a private namespace with nothing but loopback in it.

Only root may make one, and not in every container; as anybody else the faults that need it are left out."""
import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000


def is_possible():
    """Also says so where it is not."""
    with contextlib.suppress(FileNotFoundError):
        done = subprocess.run(["unshare", "-n", "iptables", "-S"], capture_output=True, env=environment())
        if done.returncode == 0:
            return True
    print("no network of our own (that needs root, and iptables): no packets are dropped", flush=True)
    return False


def environment():
    return {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


@contextlib.contextmanager
def of_our_own():
    """This thread and the processes it starts are in it; afterwards the thread is where it was."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        change(lambda libc: libc.unshare(CLONE_NEWNET))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, env=environment())
        yield
    finally:
        change(lambda libc: libc.setns(before, CLONE_NEWNET))
        os.close(before)


def change(how):
    libc = ctypes.CDLL(None, use_errno=True)
    if how(libc) != 0:
        raise OSError(ctypes.get_errno(), "network namespace")


@contextlib.contextmanager
def dropping(ports, share=1.0):
    """Of the packets to and from these ports that share gets lost, and nobody is told."""
    rules = [["INPUT", "-p", "tcp", way, str(port), "-m", "statistic", "--mode", "random", "--probability", str(share),
              "-j", "DROP"] for port in ports for way in ("--dport", "--sport")]
    try:
        for rule in rules:
            iptables("-A", *rule)
        yield
    finally:
        iptables("-F", "INPUT")


def iptables(*arguments):
    subprocess.run(["iptables", "-w", *arguments], check=True, env=environment())
