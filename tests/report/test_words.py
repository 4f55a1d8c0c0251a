"""How captures are called in reports."""

import shutil
from pathlib import Path

from typer.testing import CliRunner

from tlsinspect.cli.app import app
from tlsinspect.report.words import short_names

STORY = Path(__file__).resolve().parents[2] / "captures" / "story"


def test_a_capture_is_called_by_its_name_without_folders() -> None:
    assert short_names(["/srv/a/nginx.pcap", "b/curl.pcap"]) == {
        "/srv/a/nginx.pcap": "nginx.pcap",
        "b/curl.pcap": "curl.pcap",
    }


def test_captures_of_one_name_keep_the_folders_that_tell_them_apart() -> None:
    assert short_names(["monday/nginx/trace.pcap", "friday/nginx/trace.pcap"]) == {
        "monday/nginx/trace.pcap": "monday/nginx/trace.pcap",
        "friday/nginx/trace.pcap": "friday/nginx/trace.pcap",
    }
    assert short_names(["/srv/web/trace.pcap", "trace.pcap"]) == {
        "/srv/web/trace.pcap": "web/trace.pcap",
        "trace.pcap": "trace.pcap",
    }


def test_standard_input_is_called_so() -> None:
    assert short_names(["-", "trace.pcap"]) == {"-": "standard input", "trace.pcap": "trace.pcap"}


def test_no_capture_needs_no_name() -> None:
    assert short_names([]) == {}


def test_reports_on_captures_of_one_name_tell_them_apart(tmp_path: Path) -> None:
    paths = []
    for story, folder in (("01-nginx-without-server-name", "before"), ("03-nginx-with-server-name", "after")):
        (tmp_path / folder).mkdir()
        paths.append(str(shutil.copy(STORY / story / "nginx.pcap", tmp_path / folder / "trace.pcap")))
    for command in ("show", "explain", "certs", "diff"):
        output = CliRunner().invoke(app, [command, *paths], env={"COLUMNS": "200"}).output
        body = output.partition("\n\n")[2]  # the title has the paths as they were given

        assert "before/trace.pcap" in body, command
        assert "after/trace.pcap" in body, command
        assert str(tmp_path) not in body, command


def test_certificates_of_captures_of_one_name_are_files_of_their_own(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copy(STORY / "02-curl-with-name" / "curl.pcap", tmp_path / folder / "trace.pcap")
    captures = [str(tmp_path / folder / "trace.pcap") for folder in ("one", "two")]
    CliRunner().invoke(app, ["certs", *captures, "--pem", str(tmp_path / "pem")])

    names = {path.name.partition("-")[0] for path in (tmp_path / "pem").iterdir()}
    assert names == {"one_trace.pcap", "two_trace.pcap"}
