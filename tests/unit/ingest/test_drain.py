"""What the drain does when the journal cannot let go of what rests elsewhere."""

from pathlib import Path

from seatwatt.contract.senml import decode
from seatwatt.ingest.commit import Places
from seatwatt.ingest.counts import Counts
from seatwatt.ingest.delivery import Store
from seatwatt.ingest.drain import Drain
from seatwatt.ingest.gate import Gate
from seatwatt.ingest.journal import Journal
from seatwatt.ingest.sorter import Sorter
from tests.unit.ingest.fakes import NOW_MS, FakeQuarantine, FakeWriter, power


def test_a_disk_too_full_even_to_delete_does_not_fill_the_quarantine(tmp_path: Path) -> None:
    writer, quarantine, counts = FakeWriter(), FakeQuarantine(), Counts()
    journal = Journal(tmp_path / "journal.db", 1 << 20)
    topic, payload = power(1.0)
    journal.put([(topic, payload, NOW_MS), (topic, b"no SenML", NOW_MS)], 2, True)
    counts.recovered(2)
    drain = Drain(journal, Places(Store(writer, Gate()), quarantine), Sorter(decode, 1000), counts,
                  100)
    journal._database.execute("PRAGMA query_only = 1")
    assert [drain.step() for _ in range(5)] == [False] * 5
    assert (len(writer.readings), len(quarantine.messages)) == (1, 1)
    assert (counts.account().journalled, counts.account().stored) == (2, 0)
    journal._database.execute("PRAGMA query_only = 0")
    assert [drain.step(), drain.step()] == [True, False]
    assert len(quarantine.messages) == 1
    account = counts.account()
    assert (account.journalled, account.stored, account.quarantined) == (0, 1, 1)
    assert account.balanced
    journal.close()
