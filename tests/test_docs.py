from __future__ import annotations

from pathlib import Path

from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.docs import main


def test_every_cause_has_a_page_and_the_index_links_to_it(tmp_path: Path) -> None:
    main(["--folder", str(tmp_path)])
    index = (tmp_path / "runbook" / "README.md").read_text()

    assert [cause.code for cause in CAUSES if f"({cause.code}.md)" not in index] == []
    assert [cause.code for cause in CAUSES if not (tmp_path / "runbook" / f"{cause.code}.md").exists()] == []


def test_what_was_written_is_fresh(tmp_path: Path) -> None:
    main(["--folder", str(tmp_path)])

    assert main(["--folder", str(tmp_path), "--check"]) == 0


def test_a_stale_page_is_named_and_left_alone(tmp_path: Path, capsys: object) -> None:
    main(["--folder", str(tmp_path)])
    page = tmp_path / "fields.md"
    page.write_text("old")

    assert main(["--folder", str(tmp_path), "--check"]) == 1
    assert str(page) in capsys.readouterr().err  # type: ignore[attr-defined]
    assert page.read_text() == "old"


def test_the_page_of_a_cause_that_is_no_more_is_removed(tmp_path: Path) -> None:
    page = tmp_path / "runbook" / "gone.md"
    page.parent.mkdir()
    page.touch()
    main(["--folder", str(tmp_path)])

    assert not page.exists()
