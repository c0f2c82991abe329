"""Files are found once, in an order in which a page goes on where the one before ended."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sostenuto.activities.knowledge.sources import SourceElsewhere, SourceError, covers, found_files, uri_of
from sostenuto.contracts.wire.ingest import DocumentFailure

FOLDERS = ("a", "b", "a.b", "a-b", "c!", "zz", "a b")
FILES = ("x", "y.md", "a", "a.b", "b-", "ü.txt")


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
    assert covers([str(tmp_path)], inside)
    assert covers([f"{tmp_path}/a b/x.md"], inside)
    assert covers([f"{tmp_path}/*/*.md"], inside)
    assert not covers([f"{tmp_path}/a"], inside)
    assert not covers(["https://example.com/x.md"], inside)
    assert covers(["https://example.com/x.md"], "https://example.com/x.md")
