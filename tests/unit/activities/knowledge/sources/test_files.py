"""Files are found once, in an order in which a page goes on where the one before ended."""

from __future__ import annotations

import errno
import glob
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sostenuto.activities.knowledge.sources import files, source
from sostenuto.activities.knowledge.sources.files import FileSource, found_files, read_file, reference, uri_of
from sostenuto.activities.knowledge.sources.source import SourceElsewhere, SourceError
from sostenuto.contracts.wire.ingest.ingest import DocumentFailure

FOLDERS = ("a", "b", "a.b", "a-b", "c!", "zz", "a b")
FILES = ("x", "y.md", "a", "a.b", "b-", "ü.txt")


covering = FileSource().covering


def a_tree(root: Path, chance: random.Random) -> list[str]:
    made = []
    for _ in range(chance.randint(0, 25)):
        folder = root.joinpath(*(chance.choice(FOLDERS) for _ in range(chance.randint(0, 3))))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / chance.choice(FILES)
            if not path.exists():
                path.write_text("x")
                made.append(str(path))
        except OSError:
            continue  # a file stands where a folder was to be
    return made


@pytest.mark.parametrize("seed", range(60))
def test_every_file_is_found_once_and_after_each_of_them_the_rest(tmp_path: Path, seed: int) -> None:
    made = a_tree(tmp_path, random.Random(seed))
    whole = list(found_files([str(tmp_path)]))
    assert sorted(map(str, whole)) == sorted(made)
    for index, path in enumerate(whole):
        assert list(found_files([str(tmp_path)], after=str(path))) == whole[index + 1 :]


def test_several_sources_are_gone_through_once(tmp_path: Path) -> None:
    for name in ("a/1.md", "a/2.txt", "b/3.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    root = str(tmp_path)
    inside = [f"{root}/b/3.md", f"{root}/a", f"{root}/a/1.md", f"{root}/**/*.md"]
    assert list(found_files(inside)) == [f"{root}/a/1.md", f"{root}/a/2.txt", f"{root}/b/3.md"]
    assert list(found_files([f"{root}/**/*.md"])) == [f"{root}/a/1.md", f"{root}/b/3.md"]


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    told = {Path(one.uri).name: one.reason for one in found_files([str(tmp_path)]) if isinstance(one, DocumentFailure)}
    assert told["circle"] == "it is a link to a folder: name that folder itself"
    assert told["gone"].startswith("it cannot be read: ")


def test_sources_have_to_be_there_and_whole(tmp_path: Path) -> None:
    with pytest.raises(
        SourceElsewhere, match=r"there is no '.*nowhere' on the worker's machine .* was started on 'desk'"
    ):
        list(found_files([str(tmp_path / "nowhere")], host="desk"))
    with pytest.raises(SourceError, match="is not an absolute path"):
        list(found_files(["docs"]))


def test_a_document_belongs_to_a_source_by_its_name(tmp_path: Path) -> None:
    inside = uri_of(f"{tmp_path}/a b/x.md")
    assert covering([str(tmp_path)])(inside)
    assert covering([f"{tmp_path}/a b/x.md"])(inside)
    assert covering([f"{tmp_path}/*/*.md"])(inside)
    assert not covering([f"{tmp_path}/a"])(inside)


SHAPED = (
    "{root}",
    "{root}/",
    "{root}/a",
    "{root}/a/../b",
    "{root}/**",
    "{root}/**/",
    "{root}/*",
    "{root}/*/",
    "{root}/**/*.md",
    "{root}/**/a*/**/*.md",
    "{root}/[ab]/",
    "{root}/?/x",
    "{root}/notes[1].md",
    "{root}/.*",
    "{root}/.h/*",
    "{root}/a/.h/x.md",
)


@pytest.mark.parametrize("shape", SHAPED)
def test_what_is_covered_is_what_is_listed(tmp_path: Path, shape: str) -> None:
    made = [
        *("x", "x.md", "notes1.md", "notes[1].md", ".h/x.md", ".dot", "a/x", "a/x.md", "a/.h/x.md", "b/a/c/y.md"),
        *("b/x", "ab/d/z.md", "[ab]x/y", "a.md/x"),
    ]
    for name in made:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    source = shape.format(root=tmp_path)
    paths = [f"{tmp_path}/{name}" for name in made]
    listed = list(found_files([source]))
    assert listed
    assert listed == sorted(map(str, listed), key=lambda path: path.split("/"))
    assert sorted(map(str, listed)) == sorted(path for path in paths if covering([source])(uri_of(path)))
    for index, path in enumerate(listed):
        assert list(found_files([source], after=str(path))) == listed[index + 1 :]


def test_patterns_cover_what_a_shell_lists(tmp_path: Path) -> None:
    for name in ("x.md", "a/x.md", "a/b/y.md", ".h/x.md", "a/.z.md", "c.md/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    for shape in ("*.md", "*/*.md", "**/*.md", "a/**/y.md", ".h/*.md", "**/[xy].md", "*/.z*"):
        listed = [path for path in glob.glob(f"{tmp_path}/{shape}", recursive=True) if Path(path).is_file()]
        assert listed
        assert all(covering([f"{tmp_path}/{shape}"])(uri_of(path)) for path in listed)
        found = [str(path) for path in found_files([f"{tmp_path}/{shape}"]) if "/c.md/" not in str(path)]
        assert sorted(found) == sorted(listed)


def test_a_file_whose_name_looks_like_a_pattern_is_none(tmp_path: Path) -> None:
    for name in ("notes[1].md", "notes1.md"):
        (tmp_path / name).write_text("x")
    source = f"{tmp_path}/notes[1].md"
    assert list(found_files([source])) == [source]
    assert covering([source])(uri_of(source))
    assert not covering([source])(uri_of(f"{tmp_path}/notes1.md"))


def test_what_was_deleted_below_a_pattern_belongs_to_it(tmp_path: Path) -> None:
    for shape in ("**/*.md", "*", "*/", "**", "[a]", "[a]/"):
        assert covering([f"{tmp_path}/{shape}"])(uri_of(f"{tmp_path}/a/b/gone.md"))
    assert covering([f"{tmp_path}/**/*.md"])(uri_of(f"{tmp_path}/gone.md"))
    assert not covering([f"{tmp_path}/a"])(uri_of(f"{tmp_path}/a/.hidden/x.md"))
    assert not covering([f"{tmp_path}/*.md"])(uri_of(f"{tmp_path}/a/gone.md"))


@pytest.mark.parametrize("shape", ["", "/**/*.md", "/*/x.md"])
def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.md").write_text("x")
    listing = os.scandir

    def refused(path: str) -> object:
        if path == f"{tmp_path}/b":
            raise PermissionError(errno.EACCES, "Permission denied")
        return listing(path)

    monkeypatch.setattr("sostenuto.activities.knowledge.sources.files.os.scandir", refused)
    found = list(found_files([f"{tmp_path}{shape}"]))
    failure = DocumentFailure(uri=uri_of(f"{tmp_path}/b"), reason="the folder cannot be read: Permission denied")
    assert found == [f"{tmp_path}/a/x.md", failure, f"{tmp_path}/c/x.md"]
    assert list(found_files([f"{tmp_path}{shape}"], after=f"{tmp_path}/b")) == found[2:]


def test_a_link_to_a_folder_is_followed_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.md").write_text("x")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "docs" / "broken.txt").symlink_to(tmp_path / "nowhere")
    root, inside = f"{tmp_path}/docs", f"{tmp_path}/docs/link/x.md"
    for named in ([f"{root}/link"], [f"{root}/l*"], [f"{root}/*/x.md"], [root, f"{root}/link"]):
        assert [one for one in found_files(named) if not isinstance(one, DocumentFailure)] == [inside]
    told = "it is a link to a folder: name that folder itself"
    link = DocumentFailure(uri=uri_of(f"{root}/link"), reason=told)
    assert list(found_files([f"{root}/**/*.md", f"{root}/*.txt"]))[1:] == [link]
    assert list(found_files([f"{root}/**/*.txt"]))[1:] == [link]
    assert list(found_files([root, inside]))[1:] == [link, inside]


@pytest.mark.parametrize("read", [read_file, reference])
def test_a_pipe_holds_nobody_up(tmp_path: Path, read: Callable[[str], object]) -> None:
    os.mkfifo(tmp_path / "x.md")
    told: list[str] = []

    def reads() -> None:
        with pytest.raises(SourceError) as raised:
            read(str(tmp_path / "x.md"))
        told.append(str(raised.value))

    thread = threading.Thread(target=reads, daemon=True)
    thread.start()
    thread.join(10)
    assert told == ["it is neither a file nor a folder"]


@pytest.mark.parametrize("read", [read_file, reference])
def test_what_grows_while_it_is_read_is_bounded(read: Callable[[str], object], monkeypatch: pytest.MonkeyPatch) -> None:
    growing = Path("/proc/self/maps")  # its size is told as 0
    if not growing.exists():
        pytest.skip("this system has no /proc")
    assert read(str(growing))
    for module in (files, source):
        monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", 10)
    with pytest.raises(SourceError, match="and the limit is 10: split it"):
        read(str(growing))
