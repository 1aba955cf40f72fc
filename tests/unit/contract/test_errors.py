"""Errors that cross from one process to another."""

import pickle

import pytest

from seatwatt.contract.errors import ConflictError, InputError, StoreUnavailable


@pytest.mark.parametrize("error", [
    InputError("leases[2].from", "'x' is no date", "a local date"),
    InputError("file", "it is gone"),
    ConflictError("lease", "it overlaps another").within("site.yaml"),
    StoreUnavailable("the store is down", retry_after_s=7.0)])
def test_an_error_is_the_same_after_a_pipe(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)
