"""What was measured: runs of a load, and how they compare with the goals."""
import statistics


class Sample:
    """One run of one load: requests per second, latencies in ms, failures, CPU us per request of httpd and of the
    database server.

    closed: connections that httpd closed between two requests, as it does when all threads of a process are busy.
    """

    def __init__(self, rate, p50, p99, failed=0, closed=0, cpu=0, database_cpu=0):
        self.rate, self.p50, self.p99, self.failed, self.closed = rate, p50, p99, failed, closed
        self.cpu, self.database_cpu = cpu, database_cpu


class Series:
    """All runs of one load."""

    def __init__(self):
        self.samples = []

    def values(self, what):
        return [getattr(sample, what) for sample in self.samples]

    def median(self, what):
        return statistics.median(self.values(what))

    def total(self, what):
        return sum(self.values(what))

    def row(self):
        return {"rate": round(self.median("rate")), "p50_ms": round(self.median("p50"), 3),
                "p99_ms": round(self.median("p99"), 3), "failed": self.total("failed"), "closed": self.total("closed"),
                "cpu_us": round(self.median("cpu"), 1), "database_cpu_us": round(self.median("database_cpu"), 1),
                "runs": len(self.samples), "rates": [round(rate, 1) for rate in self.values("rate")],
                "p50s_ms": [round(p50, 3) for p50 in self.values("p50")],
                "p99s_ms": [round(p99, 3) for p99 in self.values("p99")]}


# ---- goals: (text, found, limit as text, is it reached)

def at_least(text, value, limit):
    return text, value, ">= %g" % limit, value >= limit


def at_most(text, value, limit):
    return text, value, "<= %g" % limit, value <= limit


def ratios(one, other, what="rate"):
    """Of runs that followed each other."""
    return [a / b for a, b in zip(one.values(what), other.values(what))]


def spread(values):
    """The median, and in words the lowest and the highest."""
    return statistics.median(values), "(%.2f to %.2f)" % (min(values), max(values))
