"""Who has which folder: a student's name made safe for any disk, and a record of what was collected.

Namesakes, and names that differ only in case or in what a folder's name cannot hold, get folders of their
own, and keep them when more is collected. The record also says where each submission came from.
"""

import json
import re
from collections import Counter

from autograder.course.places import CourseError, write_atomically
from autograder.intake.sources import printable
from autograder.intake.submissions import usable_name

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def folder_name(text):
    """A student's name as a folder's: no separators, nothing reserved, no ends that a disk would drop."""
    name = " ".join(re.sub(r"[^\w.@,' +-]", "_", printable(text)).split())
    name = name.encode()[:90].decode(errors="ignore").strip(" .")
    if not usable_name(name) or name.split(".")[0].strip().casefold() in RESERVED:
        name = f"student {name}".strip()
    return name


def recorded(workspace, lesson_name):
    """{folder: entry} of what was collected for a lesson, as far as there is a record."""
    try:
        data = json.loads((workspace.root / "collected" / f"{lesson_name}.json").read_text())
    except (OSError, ValueError):
        return {}
    data = data if isinstance(data, dict) else {}
    return {name: entry for name, entry in data.items() if isinstance(entry, dict)}


def doubts(workspace, lesson_name):
    """{student: sentences} on what collecting found odd about whose it is and when it came."""
    said = {name: entry.get("doubts") for name, entry in recorded(workspace, lesson_name).items()}
    return {
        name: tuple(map(str, sentences)) for name, sentences in said.items() if isinstance(sentences, list)
    }


class Ledger:
    """The record of one lesson, collected/LESSON.json, and the folders given out in this collection.

    A person is (name, number, platform): the number is the platform's own, or "". What was collected for
    other lessons counts, too: a folder is one person in all of them.
    """

    def __init__(self, workspace, lesson, people):
        self.workspace, self.lesson = workspace, lesson
        self.path = workspace.root / "collected" / f"{lesson.name}.json"
        self.entries = recorded(workspace, lesson.name)
        self.elsewhere = {}
        for path in sorted(self.path.parent.glob("*.json")):
            for folder, entry in recorded(workspace, path.stem).items() if path != self.path else ():
                self.elsewhere.setdefault(folder, set()).add(entry.get("student"))
        self.numbers = {}
        for name, entry in self.entries.items():
            if entry.get("number"):
                self.numbers.setdefault((entry.get("platform"), entry["number"]), []).append(name)
        self.present = Counter((platform, number) for _, number, platform in people)
        there = workspace.submitted.iterdir() if workspace.submitted.is_dir() else ()
        self.folders = {path.name.casefold(): path.name for path in there}
        self.given = set()
        self.exact = {name for name, _, _ in people if folder_name(name) == name}
        self.names = {}
        for name, _, _ in people:
            self.names.setdefault(folder_name(name).casefold(), []).append(name)

    def knows(self, person):
        """Whether somebody of that name has handed in before, to this lesson or another."""
        name = person[0]
        records = ({entry.get("student")} for entry in self.entries.values())
        return folder_name(name).casefold() in self.folders or any(
            name in names for names in (*records, *self.elsewhere.values())
        )

    def folder(self, person):
        """(the person's folder, a remark or ""): the one they had, else one that nobody has."""
        name, number, platform = person
        known = [
            folder
            for folder in self.numbers.get((platform, number), ())
            if folder.casefold() not in self.given
        ]
        same = [folder for folder in known if self.entries[folder].get("student") == name]
        if same or (len(known) == 1 and self.present[platform, number] == 1):
            folder = (same or known)[0]
            self.given.add(folder.casefold())
            return folder, "" if same else f"{printable(name)!r} is {folder}, who changed their name."
        base = folder_name(name)
        # Numbers of some platforms differ from lesson to lesson, so of namesakes nobody gets the bare name.
        namesakes = len(self.names.get(base.casefold(), ())) > 1 and number
        wanted = base = f"{base}_{number}" if namesakes else base
        count = 1
        # Whoever is called as a folder would be goes before those whose name had to be changed for it.
        while not self._is_free(wanted, person) or (
            wanted in self.exact and not self._is_theirs(wanted, name)
        ):
            count += 1
            wanted = f"{base}_{number}" if number and count == 2 and not namesakes else f"{base}_{count}"
        self.given.add(wanted.casefold())
        return wanted, "" if wanted == name else f"{printable(name)!r} is kept as {wanted}."

    def _is_theirs(self, wanted, name):
        """Whether the folder is called as they are, or was theirs before."""
        before = self.entries.get(wanted, {}).get("student"), *self.elsewhere.get(wanted, ())
        return name in (wanted, *before)

    def _is_free(self, wanted, person):
        name, number, platform = person
        if wanted.casefold() in self.given or self.folders.get(wanted.casefold(), wanted) != wanted:
            return False
        entry = self.entries.get(wanted)
        if not entry:
            owners = self.elsewhere.get(wanted)
            # What lies there without a record was put there by hand, for somebody of that very name.
            return name in owners if owners else wanted == name or wanted.casefold() not in self.folders
        numbered = number and entry.get("number") and entry.get("platform") == platform
        return entry.get("student") == name and not (numbered and entry["number"] != number)

    def collected_as_of(self, folder):
        """The time for which the source stood that the folder's content came from, as text; or None."""
        return self.entries.get(folder, {}).get("as_of")

    def is_sure(self, folder):
        """Whether nothing spoke against it that the folder's content is its student's."""
        return self.entries.get(folder, {}).get("sure", True)

    def note(self, folder, person, **what):
        """Remember whose the folder is and where its content came from."""
        name, number, platform = person
        self.entries[folder] = {"student": name, "number": number, "platform": platform, **what}

    def write(self):
        """Write the record."""
        if not self.entries:
            return
        try:
            write_atomically(self.path, json.dumps(self.entries, indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            raise CourseError(
                f"The record {self.path} cannot be written ({error.strerror}); collect again."
            ) from None
