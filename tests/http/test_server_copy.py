"""`qlmctl db copy` between all pairs of engines; that it compares row by row is in test_qlmctl.py."""
import itertools

import pytest

import engines
from client import activate, issue, validate

pytestmark = pytest.mark.servers_only
ENGINES = ["sqlite", "postgresql", "mariadb"]


@pytest.fixture
def new_database(tmp_path):
    count = itertools.count()
    made = []

    def make(engine):
        if engine == "sqlite":
            return tmp_path / ("%d.db" % next(count))
        made.append(engines.Server.of(engine).new_database())
        return made[-1]

    yield make
    for database in made:
        database.remove()


def test_between_all_pairs(new_site, new_database):
    """One way that goes through each pair once; what arrives is what was sent."""
    site = new_site()
    for n in range(5):
        key = issue(site, is_quantity="3", is_userdata1="Zo\u00eb's \u96fb\u8166 100% \\ 'x'", email="zoe%d@customer.example" % n)
        assert activate(site, key, "PC-%d" % n).error is None
    site.stop()
    before = site.dump()
    here, at = site.database, engines.ENGINE
    pairs = list(itertools.product(ENGINES, repeat=2))
    while pairs:
        # a pair from here, loops first: so the way (Euler's) passes all of them
        pair = min((p for p in pairs if p[0] == at), key=lambda p: (p[1] != at, -sum(q[0] == p[1] for q in pairs)))
        pairs.remove(pair)
        there = new_database(pair[1])
        said = site.ctl("db", "copy", here, there).stdout
        assert "compared them one by one" in said, pair
        assert ("qlmctl --httpd apachectl" in said) == (pair[1] != "sqlite"), "what qlmctl opens by itself is the old file"
        assert engines.dump(there) == before, pair
        here, at = there, pair[1]
    with_copy = new_site(start=False, database=here) if at == engines.ENGINE else None
    assert with_copy, "the way ends where it began"
    with_copy.start()
    assert validate(with_copy, key, "PC-4").error is None
    with_copy.stop()  # its database goes before it
