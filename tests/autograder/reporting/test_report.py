"""The class's page: what it says is what the results say, and it is one file that runs nothing."""

import io
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from autograder.course.places import Workspace
from autograder.reporting.grades import Grade
from autograder.reporting.report import page, terminal_table


def verdict(earned, top, mistakes):
    status = "right" if earned == top else "partly right" if earned else "wrong"
    return {"status": status, "mistakes": [{"id": name, "says": name} for name in mistakes]}


def result(student, points, status="graded", mistakes=(), remarks=()):
    names = ("double-check", "triple-check")
    tops = (3, 2)
    return {
        "student": student,
        "lesson": "01-double",
        "status": status,
        "score": sum(points),
        "max_score": 5,
        "exercises": {
            name: {"points": earned, "max_points": top, "verdict": verdict(earned, top, mistakes)}
            for name, earned, top in zip(names, points, tops, strict=True)
        },
        "mistakes": [
            {"exercise": "double", "id": name, "says": f"You made *{name}* in `x`."} for name in mistakes
        ],
        "remarks": list(remarks),
        "seconds": 1.25,
    }


@pytest.fixture
def results():
    everyone = [
        result("Ann", (3, 2)),
        result("Bob", (1.5, 0), mistakes=["halved"]),
        result("Cem", (0, 2), "time limit", ["halved", "negated"], ["Cells had been moved."]),
        result("<script>alert(1)</script>", (0, 0), "unreadable", [], ["<img src=x onerror=alert(1)>"]),
    ]
    return {one["student"]: one for one in everyone}


@pytest.fixture
def made(results, spec, tmp_path):
    workspace = Workspace(tmp_path)
    feedback = tmp_path / "feedback" / "Ann" / "01-double" / "double.html"
    feedback.parent.mkdir(parents=True)
    feedback.write_text("<html>")
    (tmp_path / "feedback" / "Cem" / "01-double").mkdir(parents=True)
    (tmp_path / "feedback" / "Cem" / "01-double" / "double.html").write_text('<h1 id="Double-a-number">')
    parts = {"double-check": (3, 3, False), "triple-check": (2, 2, True)}
    standings = {
        "Ann": Grade("Ann", 6.5, 7, parts=parts),
        "Bob": Grade("Bob", 1.5, 7, waits=True, late_penalty=0.25),
    }
    return page(workspace, spec, results, standings, {"Bob": ["written"]})


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.text, self.links = [], [], [], []
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "a":
            self.links.append(dict(attributes)["href"])
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.rows and self.rows[-1] and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def test_every_student_has_a_row_with_what_the_gradebook_says(made):
    rows = {row[0]: row for row in Reader(made).rows}
    assert rows["Ann"][1] == "6.5 / 7"  # a grade given by hand is in it
    assert rows["Bob"][1] == "1.5 / 7" and rows["Bob"][3].endswith("0.25 off for latenesswaits for a person")
    assert rows["Cem"][1] == "2 / 7" and rows["Cem"][3] == "time limit"
    assert "Cells had been moved." in rows["Cem"][4]
    assert "<script>alert(1)</script>" in rows  # as text


def test_mistakes_are_counted_and_exercises_averaged(made):
    rows = Reader(made).rows
    again = [row for row in rows if row[0].isdigit() and len(row) == 4]
    assert again == [  # the most frequent first
        ["2", "You made halved in x. (double: halved)", "Double a number", "Bob, Cem"],
        ["1", "You made negated in x. (double: negated)", "Double a number", "Cem"],
    ]
    exercise = next(row for row in rows if row[0] == "double" and "/" in row[1])
    # Two with full marks or none each; the one with a strange name is wrong in a way of his own.
    assert exercise[1].startswith("1.12 / 3") and exercise[3:] == ["1", "2", "1"]


def test_a_mistake_leads_to_its_section_and_to_who_made_it(made):
    links = Reader(made).links
    assert "../feedback/Cem/01-double/double.html#Double-a-number" in links  # the first who has a page
    assert links.count("../feedback/Cem/01-double/double.html#double-check") == 2
    assert not [link for link in links if "Bob" in link]  # who has no page


def test_what_to_look_at_is_told_once_with_who(made, results, spec, tmp_path):
    rows = Reader(made).rows
    assert ["Changed written after it was graded by hand; the grade was kept.", "Bob"] in rows
    assert ["Cells had been moved.", "Cem"] in rows
    results["Bob"]["remarks"] = ["Cells had been moved."]
    rows = Reader(page(Workspace(tmp_path), spec, results, {})).rows
    assert rows.count(["Cells had been moved.", "Bob, Cem"]) == 1


def test_the_time_that_grading_took_is_there(made):
    assert "<strong>1.2</strong>seconds to grade one, median" in made
    assert next(row for row in Reader(made).rows if row[0] == "Cem")[5] == "1.2"


def test_the_histogram_says_its_numbers_in_words(made):
    # Seven points in ten steps: 6.5 is in the last, 2 and 1.5 in the third, 0 in the first.
    assert "Histogram of 4 scores from 0 to 7 in ten steps: 1, 0, 2, 0, 0, 0, 0, 0, 0, 1." in made


def test_the_page_is_one_file_that_runs_nothing(made):
    reader = Reader(made)
    assert not {"script", "link", "img", "iframe", "form", "object"} & set(reader.tags)
    assert not re.search(r"https?://|url\(|\son\w+=", made.replace("&lt;img src=x onerror=alert(1)&gt;", ""))
    assert made.index("Content-Security-Policy") < made.index("<title>")
    assert {link.partition("#")[0] for link in reader.links} == {
        "../feedback/Ann/01-double/double.html",
        "../feedback/Cem/01-double/double.html",
    }


def test_an_empty_class_still_makes_a_page(spec, tmp_path):
    assert "Results of 01-double" in page(Workspace(tmp_path), spec, {}, {})


def printed(results, standings):
    """{student: the cells of their row} of the table in the terminal."""
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(terminal_table(results, standings))
    rows = [re.split(r"\s*[│┃]\s*", line.strip()) for line in console.export_text().splitlines()]
    return {row[1]: row[2:-1] for row in rows if len(row) > 5}


def test_the_terminal_table_names_student_score_status_mistake_and_seconds(results):
    row = printed(results, {})["Cem"]
    assert row == ["2 / 5", "time limit", "double: halved, double: negated", "1.2"]


def test_the_terminal_table_shows_what_the_gradebook_holds(results):
    standings = {
        "Ann": Grade("Ann", 0, 7, before_penalty=5, late_penalty=5),
        "Bob": Grade("Bob", 4.5, 7, waits=True),
        "Cem": Grade("Cem", None, 7),
    }
    rows = printed(results, standings)
    assert (rows["Ann"][0], rows["Ann"][3]) == ("0 / 7", "5 off for lateness")
    assert (rows["Bob"][0], rows["Bob"][3]) == ("4.5 / 7", "waits for a person")
    assert (rows["Cem"][0], rows["Cem"][3]) == ("- / 7", "")


def test_nobody_has_a_zero_for_a_fault_of_ours(results, spec, tmp_path):
    """Neither in their row, nor in the mean, nor among those without marks."""
    results["Cem"]["status"], results["Cem"]["exercises"] = "infrastructure fault", {}
    made = page(Workspace(tmp_path), spec, results, {"Cem": Grade("Cem", None, 7)})
    rows = Reader(made).rows
    assert next(row for row in rows if row[0] == "Cem")[1] == "- / 7"
    assert "Histogram of 3 scores" in made and "<strong>2.2</strong>mean score" in made
    assert next(row for row in rows if row[0] == "double" and "/" in row[1])[3:] == ["1", "1", "1"]


def test_exercises_are_averaged_as_a_person_graded_them(results, spec, tmp_path):
    parts = {"double-check": (2.5, 3, True), "triple-check": (0, 2, False)}
    only = {"Bob": results["Bob"]}
    made = page(Workspace(tmp_path), spec, only, {"Bob": Grade("Bob", 2.5, 7, parts=parts)})
    assert next(row for row in Reader(made).rows if row[0] == "double" and "/" in row[1])[1] == "2.5 / 3"
