"""Many pictures at once on the command line: what is skipped, asked, shown, told, and shared with other processes."""

from __future__ import annotations

import base64
import io
import re
import shutil
import signal
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from helpers.programs import LAYERLIFT, Program
from helpers.waiting import PATIENCE, wait_for
from layerlift.twin import Twin
from PIL import Image

from .command import COLUMNS, Result, bars, begin, end_of, half_black, key_of, layerlift, names, read_until

MANY = 21
"""One more than are paid for without a question."""


def fill(folder: Path, pictures: int) -> list[Path]:
    """So many different pictures, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"p{number:02}.png" for number in range(pictures)]
    for number, path in enumerate(paths):
        half_black(64 + 2 * number).save(path)
    return paths


def ends(result: Result) -> list[tuple[str, str, str | None]]:
    """Name, status and the error's code of each picture, by name."""
    told = result.pictures
    return sorted((Path(each["input"]).name, each["status"], (each["error"] or {}).get("code")) for each in told)


def cut_outs(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*-cutout.png"))


def test_a_tree_of_folders_is_mirrored(account: dict[str, str], photos: Path, tmp_path: Path) -> None:
    for name in ("a.png", "sub/a.png", "sub/deep/b.jpg", ".thumbs/c.png"):
        (photos / name).parent.mkdir(exist_ok=True, parents=True)
        half_black(64 + len(name)).save(photos / name)
    out = tmp_path / "out"
    assert layerlift(account, "remove", photos, "--output-dir", out).status == 0
    assert cut_outs(out) == ["a-cutout.png"]
    result = layerlift(account, "remove", photos, "--recursive", "--output-dir", out, "--json")
    assert [(name, status) for name, status, _ in ends(result)] == [
        ("a.png", "done"),
        ("a.png", "skipped"),
        ("b.jpg", "done"),
    ]
    assert cut_outs(out) == ["a-cutout.png", "sub/a-cutout.png", "sub/deep/b-cutout.png"]


def test_a_pattern_that_no_shell_has_expanded_is(account: dict[str, str], photos: Path) -> None:
    for name in ("a1.png", "a2.png", "b.png", "[a]*.png"):
        half_black(64 + len(name)).save(photos / name)
    assert layerlift(account, "remove", photos / "a?.png").status == 0
    assert cut_outs(photos) == ["a1-cutout.png", "a2-cutout.png"]
    assert layerlift(account, "remove", photos / "[a]*.png").status == 0
    assert cut_outs(photos) == ["[a]*-cutout.png", "a1-cutout.png", "a2-cutout.png"]


def test_what_has_its_cut_out_is_skipped_unless_it_is_asked_for(
    account: dict[str, str], twin: Twin, photos: Path
) -> None:
    fill(photos, 3)
    assert layerlift(account, "remove", photos / "p00.png").status == 0
    (photos / "p00-cutout.png").write_text("touched up")
    before = len(twin.calls("run"))
    result = layerlift(account, "remove", photos, "--json")
    assert [status for _, status, _ in ends(result)] == ["skipped", "done", "done"] and result.status == 0
    skipped = next(told for told in result.pictures if told["status"] == "skipped")
    assert (skipped["output"], skipped["units"]) == (str(photos / "p00-cutout.png"), 0)
    assert "1 of 3" in result.errors and re.search(r"^skipped +1$", result.errors, re.MULTILINE)
    assert (photos / "p00-cutout.png").read_text() == "touched up"
    sent = len(twin.requests)
    nothing = layerlift(account, "remove", photos, "--json")
    assert [status for _, status, _ in ends(nothing)] == ["skipped"] * 3 and nothing.status == 0
    again = layerlift(account, "remove", photos, "--overwrite", "--json")
    assert [status for _, status, _ in ends(again)] == ["cached"] * 3
    assert (len(twin.calls("run")) - before, len(twin.requests)) == (2, sent)
    with Image.open(photos / "p00-cutout.png") as cut_out:
        assert cut_out.mode == "RGBA"


def test_a_file_that_is_named_for_the_cut_out_is_replaced(account: dict[str, str], photos: Path) -> None:
    (photo,) = fill(photos, 1)
    target = photos / "cut.png"
    target.write_text("old")
    assert layerlift(account, "remove", photo, "-o", target).status == 0
    with Image.open(target) as cut_out:
        assert cut_out.mode == "RGBA"


def test_an_account_that_empties_in_the_middle_is_filled_up_and_the_next_run_does_the_rest(
    environ: dict[str, str], make_twin: Any, photos: Path
) -> None:
    twin = make_twin(units=3)
    fill(photos, 6)
    result = layerlift({**environ, **key_of(twin)}, "remove", photos, "--json")
    codes = sorted(code or status for _, status, code in ends(result))
    assert codes == ["CreditInsufficiency", "done", "done", "done", "not_started", "not_started"]
    assert result.status == 1
    assert re.search(r"^done +3  3 units$", result.errors, re.MULTILINE)
    assert re.search(r"^failed +1\n .*p0\d.png: The account has no units left", result.errors, re.MULTILINE)
    assert re.search(r"^not started +2\n.*no units left.*\n .*p0\d.png", result.errors, re.MULTILINE)
    other = make_twin(units=10)
    rest = layerlift({**environ, **key_of(other)}, "remove", photos, "--json")
    assert [status for _, status, _ in ends(rest)].count("done") == 3
    assert (rest.status, other.charged, len(cut_outs(photos))) == (0, 3, 6)


def test_many_units_are_not_spent_where_nobody_can_be_asked(account: dict[str, str], twin: Twin, photos: Path) -> None:
    fill(photos, MANY)
    result = layerlift(account, "remove", photos, "--json", "--report", photos / "r.html", text="y\n")
    assert (result.status, result.output, twin.requests) == (2, "", [])
    assert f"up to {MANY} units" in result.errors and "--yes" in result.errors
    assert not (photos / "r.html").exists() and cut_outs(photos) == []


def test_on_a_terminal_many_units_are_asked_for(
    account: dict[str, str], twin: Twin, photos: Path, terminal: Any
) -> None:
    fill(photos, MANY)
    for answer, status in (("\n", 2), ("n\n", 2), ("\x03", 1)):
        asked = terminal(account, "remove", photos)
        asked.until("Go on? [y/N]")
        asked.type(answer)
        assert asked.end() == status and "Traceback" not in asked.text
    assert not twin.calls("declare", "run")
    agreed = terminal(account, "remove", photos)
    agreed.until("Go on? [y/N]")
    assert f"{MANY} pictures. Cost: up to {MANY} units. Balance: 1000 units." in agreed.text
    agreed.type("y\n")
    assert agreed.end() == 0
    assert (len(cut_outs(photos)), twin.charged) == (MANY, MANY)
    (photos / "p00-cutout.png").unlink()
    less = terminal(account, "remove", photos)
    assert less.end() == 0 and "Go on?" not in less.text


def test_a_terminal_shows_one_line_for_all_and_failures_above_it(
    environ: dict[str, str], make_twin: Any, photos: Path, terminal: Any
) -> None:
    twin = make_twin(run_seconds=1.5)
    fill(photos, 4)
    (photos / "broken\x1b[31m.jpg").write_text("no picture")
    shown = terminal({**environ, **key_of(twin)}, "remove", photos)
    assert shown.end() == 1
    lines = bars(shown.text)
    assert any("0 of 5, waiting for" in line or "1 of 5, waiting for" in line for line in lines)
    assert any(re.search(r"\d/min, \d+ s left", line) for line in lines)
    assert max(map(len, lines)) < COLUMNS
    assert "\x1b[31m" not in shown.text
    failure = shown.text.index("1/5 broken?[31m.jpg: This file can't be read as a picture")
    assert failure < shown.text.rindex("waiting for")
    assert "p00-cutout.png" not in shown.text and re.search(r"done +4  4 units\r\nfailed +1\r\n", shown.text)


def interrupted(process: Program) -> Result:
    process.send_signal(signal.SIGINT)
    return end_of(process)


def test_ctrl_c_keeps_what_is_done_finishes_what_is_paid_and_lists_the_rest(
    environ: dict[str, str], make_twin: Any, photos: Path
) -> None:
    twin = make_twin(run_seconds=1.0)
    fill(photos, 40)
    user = {**environ, **key_of(twin), "LAYERLIFT_RATE": "40/20"}
    process = begin(user, "remove", photos, "--yes", "--json", "--report", photos / "r.html")
    wait_for(lambda: cut_outs(photos))
    stopped = interrupted(process)
    found = ends(stopped)
    done = [name for name, status, _ in found if status == "done"]
    assert len(found) == 40 and done and stopped.status == 1
    assert {(status, code) for _, status, code in found} == {("done", None), ("cancelled", "cancelled")}
    assert re.search(r"^cancelled +\d+$", stopped.errors, re.MULTILINE)
    assert len(read(photos / "r.html").pictures) == len(done)
    assert len(twin.calls("run")) == twin.charged < 40 and twin.late_polls == 0
    paid = twin.charged
    assert not [path for path in photos.iterdir() if path.name.startswith(".")]
    free = layerlift({**user, "LAYERLIFT_RATE": "10000/1"}, "remove", photos, "--yes", "--json")
    statuses = [status for _, status, _ in ends(free)]
    assert statuses.count("done") == 40 - paid and statuses.count("skipped") >= len(done)
    assert (free.status, twin.charged, len(cut_outs(photos))) == (0, 40, 40)


def test_a_second_ctrl_c_ends_at_once(environ: dict[str, str], make_twin: Any, photos: Path) -> None:
    twin = make_twin(run_seconds=PATIENCE)
    fill(photos, 3)
    process = begin({**environ, **key_of(twin)}, "remove", photos)
    wait_for(lambda: twin.calls("poll"))
    process.send_signal(signal.SIGINT)
    read_until(process, "What is paid for")
    began = time.monotonic()
    stopped = interrupted(process)
    assert stopped.status == 1 and time.monotonic() - began < 10


class Page(HTMLParser):
    """What a report shows: of each picture where it leads, its two small pictures, and the caption."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[Image.Image] = []
        self.tags: list[str] = []
        self.text = ""

    @property
    def pictures(self) -> list[tuple[Image.Image, Image.Image]]:
        return list(zip(self.images[::2], self.images[1::2], strict=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag == "img":
            kind, data = (values["src"] or "").split(",", 1)
            assert kind == "data:image/jpeg;base64"
            self.images.append(Image.open(io.BytesIO(base64.b64decode(data))))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(report: Path) -> Page:
    page = Page()
    page.feed(report.read_text("utf-8"))
    page.close()
    return page


def test_the_report_shows_each_picture_beside_its_cut_out(
    account: dict[str, str], photos: Path, tmp_path: Path
) -> None:
    for number, name in enumerate(("a & <b>.png", "sub \"d'/c#1.jpg")):
        (photos / name).parent.mkdir(exist_ok=True)
        half_black(600 + number, 300).save(photos / name)
    (photos / "broken <i>.jpg").write_text("no picture")
    report = tmp_path / "reports" / "r.html"
    command = ("remove", photos, "-r", "--output-dir", tmp_path / "out", "--report", report)
    for note in ("", "from an earlier run"):
        assert layerlift(account, *command).status == 1
        page = read(report)
        assert names(report.parent) == ["r.html"]
        assert len(page.pictures) == 2 and note in page.text
        for before, after in page.pictures:
            assert before.size == after.size == (256, 128)
            assert before.getpixel((20, 20)) == after.getpixel((20, 20)) == (0, 0, 0)
            squares = {after.getpixel((x, 100)) for x in range(132, 256, 8)}
            assert before.getpixel((200, 100)) == (255, 255, 255) and len(squares) >= 2
        assert not {"b", "i", "script"} & set(page.tags)
        for name in ("a & <b>.png", "c#1.jpg", "broken <i>.jpg: This file can't be read"):
            assert name in page.text
        files = {(report.parent / unquote(link)).resolve() for link in page.links}
        cut = {tmp_path / "out" / name for name in cut_outs(tmp_path / "out")}
        assert files == {photos / "a & <b>.png", photos / "sub \"d'" / "c#1.jpg", *cut}


@pytest.mark.parametrize("name", ["r.jpg", "r", "file/r.html"])
def test_a_report_that_can_not_be_written_is_told_before_anything_is_paid(
    account: dict[str, str], twin: Twin, photos: Path, name: str
) -> None:
    fill(photos, 1)
    (photos / "file").write_text("no folder")
    result = layerlift(account, "remove", photos, "--report", photos / name)
    assert (result.status, twin.calls("declare", "run"), cut_outs(photos)) == (2, [], [])


@pytest.mark.parametrize(
    "share",
    ["xargs -0 -n 4 -P 2 {command} --relative-to {photos}", "parallel -0 -n 4 -j 2 {command} --relative-to {photos}"],
    ids=["xargs", "parallel"],
)
def test_processes_that_share_a_folder_keep_the_limit_together(
    environ: dict[str, str], make_twin: Any, photos: Path, tmp_path: Path, share: str
) -> None:
    """In real time: the law of the rate, kept by processes."""
    tool = share.split()[0]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not there")
    twin = make_twin(rate=(20, 6.0))
    shared = tmp_path / "photos"
    for folder in ("one", "two"):
        fill(shared / folder, 6)
        for path in (shared / folder).iterdir():
            half_black(64 + 2 * int(path.stem[1:]), 40 if folder == "one" else 48).save(path)
    out = tmp_path / "out"
    command = f"{LAYERLIFT} remove --yes --output-dir {out}"
    line = f"find {shared} -name '*.png' -print0 | {share.format(command=command, photos=shared)}"
    user = {**environ, **key_of(twin), "LAYERLIFT_RATE": "20/6"}
    outcome = subprocess.run(["sh", "-c", line], env=user, capture_output=True, text=True, timeout=4 * PATIENCE)
    assert outcome.returncode == 0, outcome.stderr
    assert cut_outs(out) == [f"{folder}/p{number:02}-cutout.png" for folder in ("one", "two") for number in range(6)]
    assert (len(twin.calls("run")), twin.charged, twin.late_polls) == (12, 12, 0)
    assert [call.step for call in twin.requests if call.status == 429] == []
