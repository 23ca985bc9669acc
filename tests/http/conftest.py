"""Sites for the tests, and the audit of their error logs after every test; no test is exempt."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engines import ENGINE  # noqa: E402
from env import Site, Template, is_root  # noqa: E402


def is_for_others(item):
    """What only root can do is not asked of anybody else; what is about SQLite's files or about database servers is
    not asked of the others."""
    return (item.get_closest_marker("as_root") and not is_root() or
            item.get_closest_marker("sqlite_only") and ENGINE != "sqlite" or
            item.get_closest_marker("servers_only") and ENGINE == "sqlite" or
            item.get_closest_marker("postgresql_only") and ENGINE != "postgresql")


def pytest_collection_modifyitems(config, items):
    """pytest says how many tests this leaves out."""
    left_out = [item for item in items if is_for_others(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def template():
    made = Template()
    yield made
    made.remove()


def running(template, mpm):
    site = Site(template, mpm)
    try:
        yield site.start()
        site.stop(gracefully=True)
        problems = site.audit()
    finally:
        site.destroy()
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="session")
def event_site(template):
    yield from running(template, "event")


@pytest.fixture(scope="session")
def prefork_site(template):
    yield from running(template, "prefork")


@pytest.fixture
def site(event_site):
    """A running server that tests share: a test must leave its settings as they were."""
    return event_site


@pytest.fixture(params=["event", "prefork"])
def any_site(request):
    """The shared servers, one after the other."""
    return request.getfixturevalue(request.param + "_site")


@pytest.fixture
def new_site(template):
    """Makes sites of a test's own: new_site(mpm="event", location=..., server=..., database=..., start=True)."""
    made = []

    def make(start=True, **settings):
        site = Site(template, **settings)
        made.append(site)
        return site.start() if start else site

    yield make
    problems = [p for site in made for p in site.audit()]
    for site in reversed(made):  # others may use the first one's database
        site.destroy()
    assert not problems, "\n".join(problems)


@pytest.fixture(autouse=True)
def audit_of_the_error_logs(request):
    yield
    problems = [p for site in list(Site.alive) for p in site.audit()]
    assert not problems, "\n".join(problems)
