"""The OpenAPI document held to the app by a fuzzer: no server error, nothing undescribed."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi import checks

from seatwatt.api.access import OpenAccess
from seatwatt.api.app import create_app
from seatwatt.api.server import listen, running
from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import QuarantinedMessage, ReadingBatch, SeriesBook
from seatwatt.contract.rules import Rule
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.settings import ApiSettings, StoreSettings
from seatwatt.store.sitefiles import load_site
from tests.services.api_worlds import declare, services_on
from tests.shared import ROOT

EXAMPLES_A_ROUTE = 10


@pytest.fixture(scope="module")
def api_schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    """A served API with a declared site, a reading and a refusal."""
    folder = tmp_path_factory.mktemp("api")
    store = StoreSettings(store_url=f"sqlite:///{folder}/readings.db")
    with services_on(store, folder) as services:
        declare(services, load_site(ROOT / "examples" / "e-rozgar.yaml"))
        services.writer.write(_reading())
        Quarantine(services.ledger).put([QuarantinedMessage("a/b", b"\xff", 1, Rule.T02, "")])
        listener = listen(ApiSettings(api_port=0, api_access="open"))
        with running(create_app(services, OpenAccess()), listener) as url:
            yield schemathesis.openapi.from_url(f"{url}/openapi.json")


def _reading() -> ReadingBatch:
    series = SeriesBook().get("e-rozgar", Device("meter", "plant", "grid"),
                              quantity("meter", "energy_import"))
    return ReadingBatch([series], [1_790_000_000_000], [1234.5])


def test_every_answer_is_as_documented(api_schema: schemathesis.BaseSchema) -> None:
    walked = 0
    for found in api_schema.get_all_operations():
        _walk(found.ok())
        walked += 1
    assert walked == api_schema.statistic.operations.total


def _walk(operation: schemathesis.APIOperation) -> None:
    @settings(max_examples=EXAMPLES_A_ROUTE, derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        if "site" in case.path_parameters:
            # Guessed sites would all be 404: go on to what is behind.
            case.path_parameters["site"] = "e-rozgar"
        case.call_and_validate(checks=[
            schemathesis.checks.not_a_server_error, checks.status_code_conformance,
            checks.content_type_conformance, checks.response_schema_conformance,
            checks.response_headers_conformance])

    ask()
