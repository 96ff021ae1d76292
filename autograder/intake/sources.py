"""What was handed in, as files: a folder or a zip archive, listed and read without trusting either.

Names in an archive are only ever labels: nothing is unpacked by its path, and a file's bytes are handed
on in memory. Links, devices, paths that lead outside, nested archives and bombs become a sentence about
that one file, never an end to the run. ``naming`` says whose file it is, ``collect`` puts it in its place.
"""

import contextlib
import errno
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from autograder.course.places import CourseError
from autograder.intake.contents.reading import MAX_BYTES, Unreadable, could_not_read

MAX_ENTRIES = 100_000  # in one archive
MAX_FILES_EACH = 2_000  # in one folder of a folder: one student's
MAX_DEPTH = 6
MAX_DIRECTORY = 64_000_000  # bytes of an archive's table of contents
MAX_RATIO = 200  # unpacked to packed; notebooks reach about 30
HIDDEN = "is hidden"
GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
NOISE = ("__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Offered:
    """One file of the source: its path as plain names, and how to read it; or why it cannot be used."""

    parts: tuple
    read: Callable | None = None
    modified: datetime | None = None  # on our own disk; None in an archive, whose times anybody can set
    problem: str = ""
    folder: bool = False
    owner: int | None = None  # user id, in a folder
    changed: datetime | None = None  # when the disk last noted something of it, which nobody can set
    ours: bool = False  # whether the problem is ours: this machine would not let us look

    @property
    def name(self):
        return "/".join(self.parts)


@dataclass(frozen=True)
class Source:
    """A folder or an archive: its files, what was odd about it, and the time for which it stands."""

    files: list
    remarks: list
    as_of: datetime
    name: str = ""


@contextlib.contextmanager
def open_source(path):
    """List a folder or a zip archive; raises CourseError where it is neither, or too large to be honest."""
    try:
        as_of = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (FileNotFoundError, NotADirectoryError):
        raise CourseError(f"There is no file or folder {path} to collect submissions from.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be opened ({error.strerror}).") from None
    if path.is_dir():
        files, remarks = _list_folder(path.resolve())
        yield Source(files, remarks, as_of, path.name)
        return
    is_notebook = path.suffix.lower() == ".ipynb"
    what = "one notebook; put it in a folder as STUDENT.ipynb" if is_notebook else "no archive"
    refusal = f"{path} is {what}: collect takes a folder or a zip archive of submissions."
    if not path.is_file():
        raise CourseError(refusal)
    with _opened(path) as file:
        if not zipfile.is_zipfile(file):
            raise CourseError(refusal)
        if _directory_size(file) > MAX_DIRECTORY:
            raise CourseError(f"The table of contents of {path} is too large for a class; it was not opened.")
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
            raise CourseError(f"{path} is damaged ({error}); download it again.") from None
        with archive:
            if len(archive.infolist()) > MAX_ENTRIES:
                raise CourseError(f"{path} has more than {MAX_ENTRIES} entries; it was not opened.")
            files, remarks = _list_archive(archive)
            yield Source(files, remarks, as_of, path.name)


def _opened(path):
    try:
        return path.open("rb")
    except OSError as error:
        raise CourseError(f"{path} cannot be opened ({error.strerror}).") from None


def _is_noise(part):
    return part.startswith(".") or part in NOISE


def _is_hidden_notebook(name):
    return name.lower().endswith(".ipynb") and not name.startswith("._")  # macOS's notes beside each file


def printable(text):
    """A name as text that can be compared, printed and stored: composed, without control characters."""
    text = text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")
    text = unicodedata.normalize("NFC", text)
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


# Folders


def _list_folder(root):
    files, remarks, counts = [], [], Counter()
    try:
        top = _enter(root)
    except OSError as error:
        raise CourseError(f"{root} cannot be opened ({error.strerror}).") from None
    for raw, info, problem, ours in _walk(top, (), counts):
        parts = tuple(map(printable, raw))
        if problem == HIDDEN:
            remarks.append(f"{parts[0]!r} is hidden; it was left out.")
            continue
        file = Offered(parts, lambda raw=raw: _read_below(root, raw), problem=problem, ours=ours)
        if info is not None:
            file = replace(
                file,
                modified=_moment(info.st_mtime),
                changed=_moment(info.st_ctime),
                folder=stat.S_ISDIR(info.st_mode),
                owner=info.st_uid,
            )
        files.append(file)
    for name, count in counts.items():
        if count > MAX_FILES_EACH:
            remarks.append(
                f"{printable(name)} holds too many files; only the first {MAX_FILES_EACH} were looked at."
            )
    return files, remarks


def _walk(entered, above, counts):
    """Yield (names, stat or None, problem, whether it is ours) of all in a folder that was entered."""
    descriptor, listed = entered
    try:
        for name in listed:
            here, info, below = (*above, name), None, None
            if _is_noise(name):
                if not above and _is_hidden_notebook(name):
                    yield here, None, HIDDEN, False
                continue
            counts[here[0]] += 1
            if counts[here[0]] > MAX_FILES_EACH:
                return
            try:
                info = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                problem = _kind_problem(stat.S_IFMT(info.st_mode), info.st_nlink)
                if stat.S_ISDIR(info.st_mode) and len(here) > MAX_DEPTH:
                    problem = "lies too deep and was not opened"
                elif stat.S_ISDIR(info.st_mode):
                    below = _enter(name, descriptor)
            except OSError as error:
                if error.errno not in GONE:  # since it was listed
                    yield here, info, f"could not be opened ({error.strerror})", True
                continue
            yield here, info, problem, False
            if below is not None:
                yield from _walk(below, here, counts)
    finally:
        os.close(descriptor)


def _enter(folder, descriptor=None):
    """(a folder's descriptor, the names in it); below an open one, no link is followed."""
    flags = os.O_RDONLY | os.O_DIRECTORY | (os.O_NOFOLLOW if descriptor is not None else 0)
    opened = os.open(folder, flags, dir_fd=descriptor)
    try:
        return opened, sorted(os.listdir(opened))
    except BaseException:
        os.close(opened)
        raise


def _moment(seconds):
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None  # a year that no calendar has


def _kind_problem(kind, links=1):
    if kind == stat.S_IFLNK:
        return "is a link, and links are not followed"
    if kind not in (stat.S_IFREG, stat.S_IFDIR, 0):
        return "is no plain file"
    if kind == stat.S_IFREG and links > 1:
        return "is a hard link: the same file has another name, perhaps elsewhere"
    return ""


def _read_below(root, parts):
    """Read a file, refusing a link at every step: who owns the folder may swap one in while we look."""
    flags = os.O_RDONLY | os.O_NOFOLLOW
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            deeper = os.open(part, flags | os.O_DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        # Not blocking, because opening a named pipe would wait for ever.
        opened = os.open(parts[-1], flags | os.O_NONBLOCK, dir_fd=descriptor)
    except OSError as error:
        raise could_not_read(error) from None
    finally:
        os.close(descriptor)
    with os.fdopen(opened, "rb") as file:
        info = os.fstat(file.fileno())
        problem = _kind_problem(stat.S_IFMT(info.st_mode), info.st_nlink)
        if problem or not stat.S_ISREG(info.st_mode):
            raise Unreadable(problem or "is a folder")
        try:
            return _bounded(file)
        except OSError as error:
            raise could_not_read(error) from None


def _bounded(file):
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unreadable(f"has more than the {MAX_BYTES / 1e6:.0f} MB that are read")
    return data


# Archives


def _directory_size(file):
    """How many bytes the archive says that its table of contents has: read before Python reads it all."""
    file.seek(0, os.SEEK_END)
    length = file.tell()
    file.seek(max(0, length - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 22:
        return 0
    size = struct.unpack_from("<L", tail, end + 12)[0]
    if size == 0xFFFFFFFF and tail[end - 20 : end - 16] == b"PK\6\7":
        file.seek(min(length, struct.unpack_from("<Q", tail, end - 12)[0]))
        record = file.read(56)
        size = (
            struct.unpack_from("<Q", record, 40)[0] if record[:4] == b"PK\6\6" and len(record) == 56 else size
        )
    return size


def _list_archive(archive):
    files, remarks = [], []
    for info in archive.infolist():
        name = printable(_entry_name(info))
        parts = tuple(part for part in re.split(r"[\\/]", name) if part not in ("", "."))
        if not parts or any(_is_noise(part) for part in parts if part != ".."):
            if len(parts) == 1 and _is_hidden_notebook(parts[0]):
                remarks.append(f"{parts[0]!r} is hidden; it was left out.")
            continue
        if name[0] in "/\\" or re.match(r"[A-Za-z]:", name) or ".." in parts or "\0" in info.orig_filename:
            remarks.append(f"{name!r} leads outside the archive; it was left out.")
            continue
        if len(parts) > MAX_DEPTH + 2:
            remarks.append(f"{name!r} lies too deep in the archive; it was left out.")
            continue
        files.append(
            Offered(
                parts,
                lambda info=info: _read_entry(archive, info),
                None,
                _entry_problem(info),
                name[-1] in "/\\",
            )
        )
    return files, remarks


def _entry_name(info):
    if info.flag_bits & 0x800:
        return info.filename
    try:  # most archives that do not say so are in UTF-8 all the same
        return info.filename.encode("cp437").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return info.filename


def _entry_problem(info):
    problem = _kind_problem(stat.S_IFMT(info.external_attr >> 16))
    if problem:
        return problem
    if info.flag_bits & 0x1:
        return "is locked with a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that no learning platform uses"
    if info.file_size > MAX_BYTES:
        return (
            f"unpacks to {info.file_size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB that are read"
        )
    if info.file_size > 1_000_000 and info.file_size > MAX_RATIO * info.compress_size:
        return f"unpacks to {info.file_size // max(1, info.compress_size)} times its size"
    return ""


def _read_entry(archive, info):
    try:
        with archive.open(info) as file:
            return _bounded(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise Unreadable("is damaged in the archive") from None
