"""The README shows what the commands print, and its lines can be pasted."""

import re
from pathlib import Path

from tlsinspect.docs import DOCS, stale_outputs

README = Path(__file__).resolve().parents[1] / "README.md"


def test_every_output_is_what_the_command_prints() -> None:
    assert stale_outputs(DOCS) == {}


def test_the_first_line_is_the_command_whose_output_follows() -> None:
    text = README.read_text()
    line = next(line for line in text.splitlines() if ".venv/bin/tlsinspect diff" in line)
    shown = re.search(r"<!-- output: (.*?) -->", text)

    assert shown is not None
    assert line.endswith(f".venv/bin/tlsinspect {shown[1]}")


def test_lines_to_paste_have_no_prompt() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)

    assert len(blocks) > 5
    assert [line for block in blocks for line in block.splitlines() if line.startswith(("$", "#", ">"))] == []
