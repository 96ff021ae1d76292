"""nbgrader's exchange, in which names are anybody's: owners and times of the files decide, and it is told."""

import os
import pwd
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from autograder.intake import sources
from autograder.intake.ledger import doubts
from tests.autograder.intake.handing import folder, noted

ACCOUNTS = {71001: "alice", 71002: "mallory", 71003: "bob", 71004: "carol", 1900: "hub"}
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def named(student, when=NOON, more="r4nd0m", lesson="01-double"):
    text = when if isinstance(when, str) else f"{when:%Y-%m-%d %H:%M:%S.%f} UTC"
    return f"{student}+{lesson}+{text}+{more}"


@pytest.fixture
def exchange(tmp_path, monkeypatch):
    """Make an exchange of {folder's name: (text, owner's number or None for ours, when it was written)}."""
    ours = os.getuid()

    def account(number):
        if number not in ACCOUNTS and number != ours:
            raise KeyError(number)
        return SimpleNamespace(pw_name=ACCOUNTS.get(number, "instructor"))

    monkeypatch.setattr(pwd, "getpwuid", account)
    listing = sources._list_folder

    def make(attempts, touched=None):
        for name, (text, _, _) in attempts.items():
            folder(tmp_path / "inbound" / name, {"double.ipynb": text, "timestamp.txt": "forged"})

        def owned(root):
            files, remarks = listing(root)
            for number, file in enumerate(files):
                _, owner, when = attempts[file.parts[0]]
                changed = (touched or {}).get(file.parts[0], when)
                owner = ours if owner is None else owner
                files[number] = replace(file, owner=owner, modified=when, changed=changed)
            return files, remarks

        monkeypatch.setattr(sources, "_list_folder", owned)
        return tmp_path / "inbound"

    return make


def kept(workspace, student):
    paths = sorted((workspace.root / "replaced" / student).glob("*/double.ipynb"))
    return [path.read_text() for path in paths]


# Whose it is


@pytest.mark.parametrize("accounts", ["known", "unknown here"])
def test_a_later_folder_in_another_students_name_replaces_nothing(
    exchange, bring, handed_in, workspace, accounts
):
    later = NOON + timedelta(days=1)
    shift = 0 if accounts == "known" else 5000
    forged = named("alice", later)
    source = exchange(
        {
            named("alice"): ("alice's", 71001 + shift, NOON),
            forged: ("nonsense", 71002 + shift, later),
            named("mallory"): ("mallory's", 71002 + shift, NOON),
            named("bob"): ("bob's", 71003 + shift, NOON),
        }
    )
    for _ in range(2):
        rows, _ = bring(source)
        assert handed_in() == {"alice": "alice's", "mallory": "mallory's", "bob": "bob's"}
        assert kept(workspace, "alice") == ["nonsense"]  # once, however often it is collected
        said = " ".join(rows["alice"].remarks)
        assert f"{forged} belongs to " in said and "replaced/alice/01-double-1" in said
        assert not rows["bob"].remarks
        told = doubts(workspace, "01-double")
        assert "alice" in told and "bob" not in told and f"{forged} belongs to " in told["alice"][0]
    assert noted(workspace, "alice").startswith("2026-11-01 12:00")


def test_a_forger_who_comes_first_or_alone_is_told_and_gives_way(exchange, bring, handed_in):
    before, later = NOON - timedelta(days=1), NOON + timedelta(days=7)
    attempts = {named("alice", later): ("nonsense", 71002, later), named("mallory"): ("m", 71002, NOON)}
    rows, _ = bring(exchange(attempts))
    assert handed_in()["alice"] == "nonsense"  # it may be that mallory handed in for her
    assert "did alice hand it in?" in " ".join(rows["alice"].remarks)
    rows, _ = bring(exchange({**attempts, named("alice", before): ("alice's", 71001, before)}))
    assert handed_in()["alice"] == "alice's" and rows["alice"].outcome == "newer"


def test_what_was_sure_is_not_replaced_once_its_folder_is_gone(
    exchange, bring, handed_in, workspace, tmp_path
):
    bring(exchange({named("alice"): ("alice's", 71001, NOON)}))
    (tmp_path / "inbound").rename(tmp_path / "gone")
    later = NOON + timedelta(days=1)
    rows, _ = bring(
        exchange({named("alice", later): ("nonsense", 71002, later), named("mallory"): ("m", 71002, NOON)})
    )
    assert handed_in()["alice"] == "alice's" and rows["alice"].outcome == "kept"
    assert "may be somebody else's" in " ".join(rows["alice"].remarks) and kept(workspace, "alice") == [
        "nonsense"
    ]


def test_a_file_planted_in_a_students_folder_is_noticed(exchange, bring, handed_in, monkeypatch):
    """nbgrader leaves the folders of its exchange writable for all."""
    source = exchange({named("alice"): ("alice's", 71001, NOON)})
    owned = sources._list_folder

    def planted(root):
        files, remarks = owned(root)
        return [replace(f, owner=71002) if f.parts[-1] == "double.ipynb" else f for f in files], remarks

    monkeypatch.setattr(sources, "_list_folder", planted)
    rows, _ = bring(source)
    assert "belongs to alice and mallory; did alice hand it in?" in " ".join(rows["alice"].remarks)


def test_a_folder_that_nbgrader_did_not_make_takes_nobodys_name(exchange, bring, handed_in, tmp_path):
    source = exchange({named("alice"): ("alice's", 71001, NOON), "alice": ("nonsense", 71002, NOON)})
    _, remarks = bring(source)
    assert handed_in() == {"alice": "alice's"}
    assert "'alice' in the exchange was not made by nbgrader; it was left out." in remarks


def test_the_same_moment_does_not_mix_two_folders(exchange, bring, handed_in):
    source = exchange(
        {
            named("alice"): ("alice's", 71001, NOON),
            named("alice", more="aaa"): ("nonsense", 71002, NOON),
            named("mallory"): ("m", 71002, NOON),
        }
    )
    bring(source)
    assert handed_in()["alice"] == "alice's"


def test_where_one_account_hands_in_for_all_it_is_said_once(exchange, bring, handed_in):
    later = NOON + timedelta(hours=1)
    source = exchange(
        {
            named("alice"): ("first", 1900, NOON),
            named("alice", later): ("second", 1900, later),
            named("bob"): ("bob's", 1900, NOON),
        }
    )
    rows, remarks = bring(source)
    assert handed_in() == {"alice": "second", "bob": "bob's"}
    assert not rows["bob"].remarks
    assert "All folders belong to hub, so owners do not say who handed in." in remarks


def test_the_instructors_own_copy_counts_as_the_students(exchange, bring, handed_in):
    later = NOON + timedelta(hours=1)
    bring(
        exchange({named("alice"): ("alice's", 71001, NOON), named("alice", later): ("by mail", None, later)})
    )
    assert handed_in() == {"alice": "by mail"}


# When it came


def test_a_folder_dated_early_has_the_time_of_its_files(exchange, bring, workspace):
    source = exchange(
        {
            named("mallory", "2020-01-01 00:00:00.000000 UTC"): ("m", 71002, NOON),
            named("bob"): ("bob's", 71003, NOON + timedelta(seconds=3)),
        }
    )
    rows, _ = bring(source)
    assert noted(workspace, "mallory").startswith("2026-11-01 12:00:00")
    assert "is dated 2020-01-01 00:00 UTC, but its files are of 2026-11-01 12:00 UTC" in " ".join(
        rows["mallory"].remarks
    )
    assert noted(workspace, "bob").startswith("2026-11-01 12:00:00") and not rows["bob"].remarks


def test_files_dated_back_are_asked_about(exchange, bring):
    early = datetime(2020, 1, 1, tzinfo=UTC)
    mallorys = named("mallory", early)
    source = exchange(
        {mallorys: ("m", 71002, early), named("bob"): ("bob's", 71003, NOON)}, touched={mallorys: NOON}
    )
    rows, _ = bring(source)
    assert "something was done to them at 2026-11-01 12:00 UTC; is the earlier time true?" in " ".join(
        rows["mallory"].remarks
    )
    assert not rows["bob"].remarks


@pytest.mark.parametrize("owner", [None, "each their own"])
def test_a_copy_or_a_backup_costs_nobody_their_time(exchange, bring, workspace, owner):
    """All files are of the day of copying: then they say nothing, and the names are believed."""
    copied = NOON + timedelta(days=20)
    owners = dict(zip(("alice", "bob", "carol", "mallory"), (71001, 71003, 71004, 71002), strict=True))
    source = exchange({named(who): (who, owner and owners[who], copied) for who in owners})
    rows, remarks = bring(source)
    assert all(noted(workspace, who).startswith("2026-11-01 12:00") for who in owners)
    assert not any(row.remarks for row in rows.values())
    assert any(
        "4 of 4 folders are not those in the folders' names, as after copying" in one for one in remarks
    )


def test_in_a_faithful_copy_the_one_that_was_dated_back_stands_out(exchange, bring, workspace):
    attempts = {named(who): (who, None, NOON) for who in ("alice", "bob", "carol")}
    bring(exchange({**attempts, named("mallory", "2020-01-01 00:00:00.000000 UTC"): ("m", None, NOON)}))
    assert noted(workspace, "mallory").startswith("2026-11-01 12:00")
    assert noted(workspace, "bob").startswith("2026-11-01 12:00")


@pytest.mark.parametrize(
    ("text", "zone", "time"),
    [
        ("2026-07-01 17:00:00.000000 +0200", UTC, "2026-07-01 15:00"),
        ("2026-07-01 17:00:00.000000 PDT", UTC, None),
        ("2026-07-01 17:00:00.000000 PDT", ZoneInfo("America/Los_Angeles"), "2026-07-02 00:00"),
        ("2026-07-01 17:00:00.000000 IST", ZoneInfo("Asia/Kolkata"), "2026-07-01 11:30"),
    ],
)
def test_a_zone_of_letters_is_asked_about_and_nobody_is_left_out(
    exchange, bring, handed_in, workspace, text, zone, time
):
    rows, _ = bring(exchange({named("alice", text): ("alice's", None, NOON)}), zone=zone)
    assert handed_in() == {"alice": "alice's"}
    found = noted(workspace, "alice")
    assert found.startswith(time) if time else found is None
    assert ("zone PDT, which may be one of several; --timezone" in " ".join(rows["alice"].remarks)) == (
        time is None
    )
