"""What differs between two declarations, and what stays the same lease."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.site import Site
from seatwatt.ledger.changes import Change, compare
from seatwatt.ledger.labels import highest, labelled
from seatwatt.ledger.site_rows import from_rows, to_rows
from tests.services.test_ledger_sites import a_site

SITE = labelled(a_site(), None, 0, 0)


def test_rows_are_the_site() -> None:
    assert from_rows(SITE.id, to_rows(SITE)) == SITE


def test_a_site_does_not_differ_from_itself() -> None:
    assert compare(SITE, SITE) == ()


@given(st.permutations(range(3)), st.sets(st.integers(0, 2)))
def test_leases_keep_their_number_wherever_they_stand(order: list[int], left: set[int]) -> None:
    leases = tuple(SITE.leases[i] for i in order if i in left)
    bare = replace(SITE, leases=tuple(replace(lease, label="") for lease in leases))
    assert labelled(bare, SITE, 3, 1).leases == leases


def test_a_label_of_its_own_is_kept_and_none_is_given_twice() -> None:
    own = ("rahat/2026", "lease-5", "leases[7]")
    leases = tuple(replace(lease, label=label)
                   for lease, label in zip(SITE.leases, own, strict=True))
    site = labelled(replace(SITE, leases=leases), None, 4, 0)
    assert [lease.label for lease in site.leases] == ["rahat/2026", "lease-5", "lease-6"]
    assert highest("lease", site.leases, 3) == 6
    assert highest("lease", (), 3) == 3


@given(st.sampled_from(["name", "currency", "tenants", "bookings", "leases", "bands"]))
def test_changes_there_and_back_mirror_each_other(field: str) -> None:
    values: dict[str, object] = {"name": "Other", "currency": "USD", "bookings": (), "leases": (),
                                 "bands": SITE.bands[:1], "tenants": SITE.tenants[::-1]}
    other: Site = replace(SITE, **{field: values[field]})  # type: ignore[arg-type]
    there, back = compare(SITE, other), compare(other, SITE)
    assert len(there) == len(back) > 0
    for one, two in zip(there, back, strict=True):
        assert (one.kind, one.name, one.before, one.after) == (
            two.kind, two.name, two.after, two.before)


def test_long_values_are_cut_in_words() -> None:
    change = Change("changed", "site", "s", {"a": "x" * 99, "b": 1}, {"a": None, "b": 1})
    assert change.differences() == [f"a: {'x' * 57}... -> -"]
    assert replace(change, before=None).differences() == []
