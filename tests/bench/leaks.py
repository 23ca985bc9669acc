"""Does a process grow? A day of a server in fast motion: validations, new and repeated orders, activations and refusals, as
many requests as asked for, by a fixed number of processes that never end. What each of them holds is looked at again and
again."""
from figures import at_most

NAMES = ("LEAKS",)
CLIENTS = 64
SAMPLES = 10
WARM = 0.2  # of the requests: until then caches fill, and every thread has done everything once
LIMIT_MIB = 1


def measure(bench):
    bench.growth = {}
    for engine in bench.options.engines.split(","):
        with bench.databases(engine) as make:
            site = bench.serve(*make(bench.options.small))
            try:
                bench.growth[engine] = play(bench, site, engine)
            finally:
                bench.end(site)


def play(bench, site, engine):
    """[(requests, KiB of each process)]"""
    step = bench.options.requests / SAMPLES
    done, due, seconds, found, answers = 0, step, bench.options.seconds, [], [0, 0, 0]
    while due <= bench.options.requests:
        count, came = mix(bench, site, engine, seconds)
        done += count
        answers = [a + b for a, b in zip(answers, came)]
        if done >= due:
            found.append((done, [process["Anonymous"] for process in site.memory()]))
            due += step
        seconds = max(1, min(30, seconds * (due - done) / count))
    describe(bench, engine, found, answers)
    return found


def mix(bench, site, engine, seconds):
    count, text = bench.load("mixed, %s, %d" % (engine, CLIENTS), site, "mixed", clients=CLIENTS, seconds=seconds)
    came = [int(word) for word in text.partition("MIXED ")[2].split()[:3]]
    # of twenty answers five are keys, thirteen documents, two refusals
    if any(abs(here - count * share / 20) > CLIENTS * 2 + count / 50 for here, share in zip(came, (5, 13, 2))):
        raise RuntimeError("not the answers of a usual day: keys %d, documents %d, refusals %d\n%s" % (*came, text))
    return count, came


def describe(bench, engine, found, answers):
    bench.tables["Memory of httpd's processes, MiB, %s (keys %d, documents %d, refusals %d)" % (engine, *answers)] = [
        "%9d requests: %s" % (done, "  ".join("%.1f" % (kib / 1024) for kib in processes)) for done, processes in found]


def goals(bench):
    found = []
    for engine, samples in bench.growth.items():
        warm = next(processes for done, processes in samples if done >= WARM * bench.options.requests)
        most = max(last - first for first, last in zip(warm, samples[-1][1])) / 1024
        found.append(at_most("growth of a process after %d of %d requests, MiB, %s" % (
            WARM * bench.options.requests, bench.options.requests, engine), most, LIMIT_MIB))
    return found
