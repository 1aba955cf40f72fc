"""Write dashboards and provisioning files: `python -m grafana.generate`."""

import json
import sys
from pathlib import Path

from grafana.alerts import alerting_files
from grafana.board import dashboard_json
from grafana.boards import BOARDS
from grafana.sources import source_files

HERE = Path(__file__).parent


def generated() -> dict[Path, str]:
    """File below `grafana/` -> what it holds."""
    files = {Path("dashboards") / board.folder / f"{board.uid}.json":
             json.dumps(dashboard_json(board), indent=1, sort_keys=True) + "\n"
             for board in BOARDS}
    return files | source_files() | alerting_files()


def main() -> None:
    """Write all files, and say which changed."""
    for path, text in generated().items():
        target = HERE / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            print(f"written: grafana/{path}", file=sys.stderr)


if __name__ == "__main__":
    main()
