"""The account balances and tells the truth, whatever fails in whatever order.

A state machine drives committer and drain over fakes of store and quarantine and a real journal,
and compares the account with where the messages really are.
"""

import tempfile
from pathlib import Path
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from seatwatt.contract.errors import StoreMisconfigured, StoreUnavailable
from seatwatt.contract.senml import decode
from seatwatt.ingest.commit import Committer, Places
from seatwatt.ingest.counts import Counts
from seatwatt.ingest.delivery import Store
from seatwatt.ingest.drain import Drain
from seatwatt.ingest.gate import Gate
from seatwatt.ingest.journal import Journal
from seatwatt.ingest.packets import Cut, Retained
from seatwatt.ingest.parcel import Parcel
from seatwatt.ingest.sorter import Sorter
from tests.unit.ingest.fakes import NOW_MS, FakeQuarantine, FakeWriter, power

REFUSED = 666.0


class Pipeline(RuleBasedStateMachine):
    """Messages come good, bad, or refused by the store; store, ledger and disk fail and mend."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now_s, self.number = 0.0, 10**6
        self.writer, self.quarantine = FakeWriter(), FakeQuarantine()
        self.writer.refuses = lambda value: value == REFUSED
        self.sent: dict[int, str] = {}
        self.held: list[Parcel] = []
        self.journal_bytes = 1 << 20
        self.open()

    def open(self) -> None:
        self.counts = Counts()
        self.journal = Journal(Path(self.folder.name) / "journal.db", self.journal_bytes)
        self.counts.recovered(self.journal.messages)
        gate = Gate(Random(1), lambda: self.now_s)
        places = Places(Store(self.writer, gate), self.quarantine)
        self.sorter = Sorter(decode, 10_000)
        self.committer = Committer(places, self.journal, self.counts, lambda _s: True)
        self.drain = Drain(self.journal, places, Sorter(decode, 10_000), self.counts, 10)

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()

    @rule(kinds=st.lists(st.sampled_from(["good", "bad", "refused"]), min_size=1, max_size=6),
          bytes_as=st.sampled_from([bytes, Retained, Cut]))
    def messages_come(self, kinds: list[str], bytes_as: type[bytes]) -> None:
        parcel = Parcel(0.0)
        self.counts.received(len(kinds))
        for kind in kinds:
            self.number += 1
            self.sent[self.number] = kind
            topic, payload = power(REFUSED if kind == "refused" else 1.0, at_s=self.number + 10**9)
            if kind == "bad":
                payload = b"no SenML %d" % self.number
            self.sorter.add(parcel, topic, bytes_as(payload), NOW_MS)
        if not self.committer.commit(parcel):
            self.held.append(parcel)

    @rule()
    def what_was_held_is_tried_again(self) -> None:
        self.held = [parcel for parcel in self.held if not self.committer.commit(parcel)]

    @rule()
    def the_journal_drains(self) -> None:
        self.now_s += 60
        self.drain.step()

    @rule(error=st.sampled_from([None, StoreUnavailable("down", 5.0), StoreMisconfigured("404")]))
    def the_store_changes(self, error: StoreUnavailable | StoreMisconfigured | None) -> None:
        self.writer.failing = error

    @rule(failing=st.booleans())
    def the_ledger_changes(self, failing: bool) -> None:
        self.quarantine.failing = failing

    @rule(full=st.booleans())
    def the_disk_changes(self, full: bool) -> None:
        self.journal._max_bytes = 0 if full else 1 << 20

    @rule()
    def the_process_dies_and_comes_back(self) -> None:
        """What was held was never acknowledged: the broker would send it again."""
        self.journal.close()
        for parcel in self.held:
            for payload in parcel.payloads:
                self.forget(payload)
        self.held = []
        self.open()

    def forget(self, payload: bytes) -> None:
        number = (int(payload.split()[-1]) if payload.startswith(b"no")
                  else int(payload[7:17]) - 10**9)
        self.sent.pop(number, None)

    @invariant()
    def it_balances(self) -> None:
        account = self.counts.account()
        assert account.balanced
        assert min(account.stored, account.journalled, account.quarantined,
                   account.in_flight) >= 0

    @invariant()
    def it_says_where_messages_are(self) -> None:
        account = self.counts.account()
        assert account.in_flight == sum(len(parcel) for parcel in self.held)
        assert account.journalled == self.journal.messages

    @invariant()
    def nothing_is_lost(self) -> None:
        stored = {at_ms // 1000 - 10**9 for _, _, at_ms in self.writer.readings}
        kept = b" ".join(message.payload for message in self.quarantine.messages)
        waiting = b" ".join(payload for parcel in self.held for payload in parcel.payloads)
        entry, after = self.journal.oldest(), 0
        while entry is not None:
            waiting += b" ".join(payload for _, payload, _ in entry.messages)
            after = entry.id
            entry = self.journal.oldest(after)
        for number, kind in self.sent.items():
            token = b"%d" % (number if kind == "bad" else number + 10**9)
            resting = number in stored if kind == "good" else token in kept
            assert resting or token in waiting, (number, kind)


TestPipeline = Pipeline.TestCase
TestPipeline.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
