"""What most tests rely on: `with site.unchanged()` sees every change."""
import pytest

from client import issue, validate


def set_comment(site, key, comment):
    assert site.change("UPDATE qlm_license SET comment = ? WHERE activation_key = ?", comment, key.replace("-", "")) == 1


def test_a_call_that_writes(site):
    with pytest.raises(AssertionError, match="table qlm_"), site.unchanged():
        issue(site)


def test_one_column_of_one_row(site):
    key = issue(site)
    with pytest.raises(AssertionError, match="table qlm_license was changed"), site.unchanged():
        set_comment(site, key, "another")


def test_a_row_that_goes(site):
    key = issue(site)
    assert validate(site, key).error is None
    with pytest.raises(AssertionError, match="table qlm_activation was changed"), site.unchanged():
        site.change("DELETE FROM qlm_activation WHERE license_id IN (SELECT id FROM qlm_license WHERE activation_key = ?)",
                    key.replace("-", ""))


def test_what_comes_to_the_same(site):
    """A change that was taken back is none, nor is one of a lease."""
    key = issue(site)
    with site.unchanged():
        set_comment(site, key, "another")
        set_comment(site, key, "")
        site.change("UPDATE qlm_lease SET leased_until = leased_until")
        validate(site, key, "PC-1", is_activate="false")
