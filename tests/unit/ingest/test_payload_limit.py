"""One limit of a payload, whoever applies it: ingest before decoding, or the decoder itself."""

import pytest
from pydantic import ValidationError

from seatwatt.contract.senml import PAYLOAD_BYTES_MAX
from seatwatt.settings import IngestSettings


def test_ingest_refuses_from_the_size_that_the_decoder_refuses() -> None:
    assert IngestSettings().ingest_payload_bytes == PAYLOAD_BYTES_MAX


def test_a_limit_that_could_not_be_reached_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1000000"):
        IngestSettings(ingest_payload_bytes=PAYLOAD_BYTES_MAX + 1)
