"""Grade files that Canvas and Moodle import, filled into the file that the platform itself exported.

The platform's rows, names and numbers stay as they are; only our column is filled, and only where it is
certain whose row it is. Students who fit no row, or several, are named instead of guessed at.
"""

import csv
import io
import re
import unicodedata
from collections import Counter

from autograder.course.places import CourseError
from autograder.reporting.grades import feedback_text, some

MAX_BYTES = 20_000_000
IDENTIFIER = re.compile(r"(?:.*\D)?(\d+)")  # "Participant 12345", whatever the language


def read_roster(path):
    """(header, rows, delimiter) of a platform's CSV; raises CourseError where it is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CourseError(f"The roster {path} could not be read ({error.strerror}).") from None
    try:
        if len(raw) > MAX_BYTES:
            raise ValueError
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (ValueError, csv.Error):
        raise CourseError(f"The roster {path} is no CSV file in UTF-8; export it again.") from None
    rows = [row for row in rows if any(value.strip() for value in row)]
    if not rows or len(rows[0]) < 2:
        raise CourseError(f"The roster {path} has no columns; it should be a CSV export of the platform.")
    width = len(rows[0])
    rows = [(row + [""] * width)[:width] for row in rows]
    return [name.strip() for name in rows[0]], rows[1:], delimiter


def canvas(found, spec, ledger, path, column=None):
    """(rows, delimiter, notes) of a Canvas grade import; ``path``: the gradebook that Canvas exported."""
    header, rows, delimiter = read_roster(path)
    if "ID" not in header or "Section" not in header or not {"Student", "LastName"} & set(header):
        raise CourseError(
            f"{path} is no gradebook of Canvas, whose columns are Student, ID, SIS Login ID, Section and "
            f"assignments; it has {', '.join(header[:6])}. In Canvas: Grades, Export."
        )
    last = header.index("Section")
    ours = _assignment_column(header, last + 1, spec, path, column)
    at = {name: header.index(name) for name in header[: last + 1]}
    name_of = (lambda row: row[0]) if "Student" in at else (lambda row: f"{row[0]}, {row[1]}")
    points = next((row for row in rows if "Points Possible" in row[0]), None)
    people = [row for row in rows if row[at["ID"]].strip()]

    def value(row, name):
        return row[at[name]] if name in at else ""

    numbers = _numbers(ledger, "Canvas")
    tiers = [
        (lambda row: [value(row, "ID")], lambda grade: [numbers.get(grade.student, "")]),
        (lambda row: [f"{_letters(name_of(row))}_{value(row, 'ID')}"], lambda grade: [grade.student]),
        (lambda row: [value(row, "SIS Login ID")], lambda grade: [grade.student, grade.email]),
        (lambda row: [value(row, "SIS User ID")], lambda grade: [grade.student]),
        (lambda row: [value(row, "SIS Login ID").partition("@")[0]], lambda grade: [grade.student]),
        (lambda row: [_words(name_of(row))], _names),
    ]
    matched, notes = match(people, found, tiers)
    most = points[ours].strip() if points else ""
    notes += _points_note(most, spec, "Canvas")
    identity = [*points[: last + 1]] if points else ["    Points Possible", *[""] * last]
    result = [[*header[: last + 1], header[ours]], [*identity, _plain_number(most, spec.max_points)]]
    for index, row in enumerate(people):
        grade = matched.get(index)
        result.append([*row[: last + 1], grade.score if grade else None])
    return result, delimiter if delimiter != "\t" else ",", notes


def moodle(found, spec, ledger, path=None):
    """(rows, delimiter, notes) of a Moodle grade import; ``path``: a grading worksheet or list, if any."""
    title = spec.assignment
    if path is None:
        rows = [["username", "email", title, f"{title} feedback"]]
        rows += [[grade.student, grade.email, grade.score, feedback_text(grade)] for grade in found]
        return rows, ",", []
    header, rows, delimiter = read_roster(path)
    at = {name.casefold(): index for index, name in enumerate(header)}
    known = ("identifier", "username", "id number", "email address", "full name", "first name")
    if not any(name in at for name in known):
        raise CourseError(
            f"{path} is no list of Moodle's in English: it has no column Identifier, Username, ID number, "
            f"Email address or Full name, but {', '.join(header[:6])}."
        )

    def value(row, *names):
        return next((row[at[name]].strip() for name in names if name in at), "")

    def full_name(row):
        parts = value(row, "first name"), value(row, "last name", "surname")
        return _words(value(row, "full name", "first name / last name") or " ".join(parts))

    numbers = _numbers(ledger, "Moodle")
    tiers = [
        (lambda row: IDENTIFIER.findall(value(row, "identifier")), lambda g: [numbers.get(g.student, "")]),
        (lambda row: [value(row, "username")], lambda grade: [grade.student]),
        (lambda row: [value(row, "id number")], lambda grade: [grade.student]),
        (lambda row: [value(row, "email address")], lambda grade: [grade.student, grade.email]),
        (lambda row: [value(row, "email address").partition("@")[0]], lambda grade: [grade.student]),
        (lambda row: [full_name(row)], _names),
    ]
    matched, notes = match(rows, found, tiers)
    worksheet = "identifier" in at and "grade" in at
    if worksheet:
        most = next((value(row, "maximum grade") for row in rows if value(row, "maximum grade")), "")
        notes += _points_note(most, spec, "Moodle")
        result = [header]
    else:
        result = [[*header, title, f"{title} feedback"]]
    for index, row in enumerate(rows):
        grade = matched.get(index)
        filled = list(row)
        if not worksheet:
            filled += [grade.score, feedback_text(grade)] if grade else [None, ""]
        elif grade and grade.score is not None:
            filled[at["grade"]] = grade.score
            if "feedback comments" in at:
                filled[at["feedback comments"]] = feedback_text(grade)
        result.append(filled)
    return result, delimiter if delimiter != "\t" else ",", notes


def match(rows, found, tiers):
    """({row's index: grade}, notes): pairs by the first of the tiers that fits one row and one student."""
    matched, left = {}, list(range(len(found)))
    for row_keys, grade_keys in tiers:
        by_row, by_grade = {}, {}
        for index, row in enumerate(rows):
            if index not in matched:
                for key in {_fold(key) for key in row_keys(row)} - {""}:
                    by_row.setdefault(key, []).append(index)
        for position in left:
            for key in {_fold(key) for key in grade_keys(found[position])} - {""}:
                by_grade.setdefault(key, []).append(position)
        pairs = {
            (by_row[key][0], position)
            for key, positions in by_grade.items()
            if len(positions) == 1 and len(by_row.get(key, ())) == 1
            for position in positions
        }
        # One student may fit two rows by two keys; then it is not certain which.
        rows_of, grades_of = Counter(position for _, position in pairs), Counter(index for index, _ in pairs)
        for index, position in pairs:
            if rows_of[position] == grades_of[index] == 1:
                matched[index] = position
        left = [position for position in left if position not in set(matched.values())]
    notes = []
    if left:
        names = some([found[position].student for position in left])
        notes.append(f"{len(left)} graded students fit no row of the roster, or several: {names}.")
    empty = len(rows) - len(matched)
    if empty:
        notes.append(f"{empty} of {len(rows)} rows of the roster have no graded submission; they stay empty.")
    return {index: found[position] for index, position in matched.items()}, notes


def _assignment_column(header, start, spec, path, wanted):
    """Where the lesson's column is: the one named, else the one whose title is or holds the lesson's name."""
    columns = range(start, len(header))
    if wanted is not None:
        fits = [index for index in columns if wanted in (header[index], _title(header[index]))]
    else:
        titles = {index: _fold(_title(header[index])) for index in columns}
        name, notebook = spec.assignment.casefold(), spec.notebook.casefold()
        word = re.compile(rf"(?<![\w-]){re.escape(notebook)}(?![\w-])")
        fits = [index for index, title in titles.items() if title == name]
        fits = fits or [index for index, title in titles.items() if name in title]
        fits = fits or [index for index, title in titles.items() if word.search(title)]
    if len(fits) == 1:
        return fits[0]
    assignments = [header[index] for index in columns if re.search(r" \(\d+\)$", header[index])]
    there = some(assignments, 8) or "none"
    what = f"column {wanted!r}" if wanted is not None else f"one column for {spec.assignment}"
    raise CourseError(f"{path} does not have {what}; name one with --column. Its assignments: {there}.")


def _title(name):
    return re.sub(r" \(\d+\)$", "", name)


def _numbers(ledger, platform):
    return {
        folder: str(entry.get("number", ""))
        for folder, entry in (ledger or {}).items()
        if entry.get("platform") == platform
    }


def _points_note(most, spec, platform):
    number = _plain_number(most, None)
    if number is None or number == spec.max_points:
        return []
    return [f"The lesson has {spec.max_points:g} points and {platform} {number:g}; nothing was scaled."]


def _plain_number(text, otherwise):
    try:
        number = float(str(text).strip().replace(",", "."))
    except ValueError:
        return otherwise
    return int(number) if number.is_integer() else number


def _fold(text):
    return unicodedata.normalize("NFC", str(text)).strip().casefold()


def _letters(name):
    return re.sub(r"\W", "", name).lower()  # as Canvas names files


def _words(name):
    """A person's name in whatever order its parts are written."""
    return " ".join(sorted(re.findall(r"[\w'-]+", _fold(name))))


def _names(grade):
    own = [_words(grade.student)] if re.search(r"\w[ ,]+\w", grade.student) else []
    return [*own, _words(f"{grade.first_name} {grade.last_name}")]
