"""What the broker says it dropped itself: messages that it acknowledged and nobody brings again,
but for gateways, which wait for a receipt.

mosquitto counts them, for all its clients together, and begins anew when it starts.
"""

import logging

LOG = logging.getLogger("seatwatt.ingest")

class Drops:
    """Follows the broker's count; a broker that tells none has 0."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self.total = 0
        """Messages dropped since the broker began."""

    def hear(self, payload: bytes) -> None:
        """What came on BROKER_DROPPED; what is no count is not mosquitto's, and left alone."""
        if not payload.isdigit():
            return
        before, self.total = self.total, int(payload)
        more = self.total - before if self.total >= before else self.total
        if more:
            LOG.warning("broker %s dropped %d messages (%d since it began) for clients that were "
                        "away or slow: is its max_queued_messages 0?",
                        self._broker, more, self.total)
