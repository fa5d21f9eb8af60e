"""The database of a scan: a SQLite file, written one network at a time.

Each network is one transaction, in write-ahead mode: a scan that is killed loses at most the networks that
were in flight, and two scans into one file take turns.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import time
import zlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from flopledger import input_files
from flopledger.errors import OutputError, SourceError, shown
from flopledger.graph.graph import Graph
from flopledger.graph.load import LARGEST_FILE
from flopledger.plugins.installed import version
from flopledger.scanning import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.scanning.network import Network
    from flopledger.scanning.outcome import Counted, Outcome

_PATIENCE_S = 60.0
"""How long a scan waits for another that writes into the same file."""
_STEP_S = 0.05
_NETWORKS = """
SELECT id, key, name, source, arguments, inputs, options, registry, registry_version, frontend, framework,
    framework_version, status, reason, input_size, params, trainable_params, buffers, macs, flops,
    unknown_calls, published, digest, graph IS NOT NULL AS has_graph, seconds, peak_bytes, counted_at,
    {seconds_at_least} AS seconds_at_least
FROM networks
"""
"""The columns of a row: all but the graph, which may be large. Sorted in Python, see :meth:`Store.rows`."""
_release = functools.cache(version)
_ORDER = ("name", "source", "options", "key")
_LARGEST = 2**63 - 1
"""The largest integer of SQLite; larger figures are kept as text, exactly."""


class Store:
    """A database of a scan.

    Args:
        path: The file; it is made where there is none.
        readonly: Whether nothing is written, and the file has to be there.

    Raises:
        OutputError: It can't be made or written.
        SourceError: There is no such file, or it is no database of a scan.
    """

    def __init__(self, path: str | Path, *, readonly: bool = False) -> None:
        self.path = Path(path)
        self._bytes = 0
        self._is_made = not readonly and input_files.kind(self.path) == "nothing"
        self._connection = self._opened(readonly=readonly)

    def _opened(self, *, readonly: bool) -> sqlite3.Connection:
        there = input_files.kind(self.path)
        if readonly and there:
            found = "no file" if there == "nothing" else there
            raise SourceError(f"{self.path}: there is {found}, expected the database of a scan")
        if there not in ("", "nothing"):
            raise OutputError(f"{self.path}: it is {there}, expected a file")
        input_files.remember(self.path)
        address = f"{Path(os.path.realpath(self.path)).as_uri()}?{self._mode(readonly=readonly)}"
        with contextlib.ExitStack() as held:
            try:
                connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE_S, isolation_level=None)
                held.callback(connection.close)
                self._prepare(connection, readonly=readonly)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if there == "nothing":
                    held.close()
                    self._discard()
                    raise OutputError(f"{self.path}: the database can't be made: {error}") from None
                if isinstance(error, sqlite3.OperationalError) and not readonly:  # the disk, rights or a lock
                    raise OutputError(f"{self.path}: it can't be written: {error}") from None
                raise SourceError(f"{self.path}: {error}; expected the database of a scan") from None
            held.pop_all()
        return connection

    def _mode(self, *, readonly: bool) -> str:
        """Say how SQLite opens the file.

        A reader of a database without a log of writes, into which nobody writes now, locks nothing: else
        SQLite would make files beside it and leave them there, or fail in a folder that can't be written.
        """
        if not readonly:
            return "mode=rwc"
        return "mode=ro" if self._log.exists() else "mode=ro&immutable=1"

    @property
    def _log(self) -> Path:
        path = Path(os.path.realpath(self.path))
        return path.with_name(f"{path.name}-wal")

    def _prepare(self, connection: sqlite3.Connection, *, readonly: bool) -> None:
        """Check a database that is there, and make the tables of one that is written."""
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_FILE)
        connection.execute("PRAGMA trusted_schema = OFF")  # a file from somebody else runs no function
        if readonly or not _is_new(connection):
            self._check(connection)
        self._version = schema.version_of(connection) if readonly else schema.VERSION
        if readonly:
            return
        _write_ahead(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        with _transaction(connection):
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION}")
            for statement in schema.TABLES.split(";"):
                connection.execute(statement)
            # another scan may have been quicker
            for statement in schema.LATER[max(schema.version_of(connection), 1) - 1 :]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {schema.VERSION}")

    def _check(self, connection: sqlite3.Connection) -> None:
        """Refuse a database of something else."""
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        there = schema.version_of(connection)
        if found != schema.APPLICATION or not 1 <= there <= schema.VERSION:
            ours = found == schema.APPLICATION
            what = f"version {there} of one" if ours else "a database of something else"
            expected = f"a scan's database of version {schema.VERSION} or less"
            raise SourceError(f"{self.path}: it is {what}, expected {expected}")
        # A view, a virtual table, a generated column or a trigger would compute without end, or fill memory
        if connection.execute(schema.OBJECTS).fetchall() != schema.expected(there):
            raise SourceError(f"{self.path}: its tables are not those of a scan's database")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        failed = kind is not None and issubclass(kind, OutputError)
        empty = failed and self._is_made and not self._holds_any()
        self.close()
        if empty:
            self._discard()

    def close(self) -> None:
        """Close the file; the last to do so puts the log of writes into it."""
        self._connection.close()

    def _holds_any(self) -> bool:
        try:
            return self._connection.execute("SELECT 1 FROM networks").fetchone() is not None
        except sqlite3.Error:
            return True

    def _discard(self) -> None:
        """Remove a file that this scan has made, and that holds no network."""
        path = Path(os.path.realpath(self.path))
        if os.path.islink(path):  # noqa: PTH114  (it leads to itself; a name that is too long is no link)
            return
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                path.with_name(f"{path.name}{suffix}").unlink()

    def statuses(self) -> dict[str, str]:
        """Return the status of each network, by its key."""
        return {row["key"]: row["status"] for row in self._select("SELECT key, status FROM networks")}

    def tally(self, keys: Iterable[str]) -> Counter[str]:
        """Return how many of some networks have each status."""
        found = self.statuses()
        return Counter(found[key] for key in keys if key in found)

    def counted(self) -> set[tuple[str, str, str, str]]:
        """Return the key of a network, the name, switches and digest of a convention, for each figure."""
        found = self._select(
            "SELECT key, convention, switches, figures.digest FROM figures JOIN networks ON id = network"
        )
        return {(row["key"], row["convention"], row["switches"], row["digest"]) for row in found}

    def with_graph(self) -> set[str]:
        """Return the keys of the networks whose graph is kept."""
        return {row["key"] for row in self._select("SELECT key FROM networks WHERE graph IS NOT NULL")}

    def put(self, key: str, network: Network, outcome: Outcome) -> None:
        """Keep the outcome of a network, in one transaction; figures of other conventions stay.

        Raises:
            OutputError: The file can't be written.
        """
        row = _row(key, network, outcome)
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        kept = ", ".join(
            f"{name} = coalesce(excluded.graph, graph)" if name == "graph" else f"{name} = excluded.{name}"
            for name in row
            if name != "key"
        )
        insert = f"INSERT INTO networks ({names}) VALUES ({marks}) ON CONFLICT (key) DO UPDATE SET {kept}"  # noqa: S608  (names of columns)
        try:
            with _transaction(self._connection):
                self._connection.execute(insert, _writable(row.values()))
                found = self._connection.execute("SELECT id FROM networks WHERE key = ?", (key,))
                (number,) = found.fetchone()
                if not outcome.facts:
                    self._connection.execute("DELETE FROM figures WHERE network = ?", (number,))
                self._connection.executemany(
                    "INSERT OR REPLACE INTO figures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [(number, *_writable(_figures(one))) for one in outcome.figures],
                )
        except sqlite3.Error as error:
            raise OutputError(f"{self.path}: it can't be written: {error}") from None

    def rows(self) -> list[dict[str, Any]]:
        """Return every network by the names of its columns, its ``figures``, and ``has_graph``.

        Raises:
            SourceError: The file is damaged, or holds what no scan writes.
        """
        bound = "seconds_at_least" if self._version > 1 else "NULL"
        selected = self._select(_NETWORKS.format(seconds_at_least=bound))
        networks = sorted(selected, key=lambda row: tuple(row[one] for one in _ORDER))
        found = {row["id"]: row for row in networks}
        for row in networks:
            row["figures"] = []
        for one in self._select("SELECT * FROM figures ORDER BY network, convention, switches, digest"):
            if one["network"] not in found:
                raise SourceError(f"{self.path}: it holds figures of no network")
            found[one.pop("network")]["figures"].append(one)
        return networks

    def _select(self, statement: str, *values: object) -> Iterator[dict[str, Any]]:
        """Yield rows by the names of their columns, no more than the file has room for.

        In a crafted file several rows, or all pages of a tree, can be the same bytes, so that a small file
        has rows without end. In a file that SQLite wrote each column of a row takes at least a byte of its
        own. SQLite must not sort them, since it would read them all before the first one is seen here.
        """
        read = 0
        try:
            found = self._connection.execute(statement, values)
            names = [name for name, *_ in found.description]
            for row in found:
                read += sum(map(_size, row))
                if read > self._bytes and read > self._measure():
                    raise SourceError(f"{self.path}: it is damaged: its rows are larger than the file")
                yield _texts(dict(zip(names, row, strict=True)))
        except (sqlite3.Error, UnicodeDecodeError, TypeError) as error:
            raise SourceError(f"{self.path}: it can't be read: {error}") from None

    def _measure(self) -> int:
        """Measure the file and its log of writes, which grow while another scan writes into them."""
        sizes = (path.stat().st_size for path in (self.path, self._log) if path.exists())
        self._bytes = sum(sizes)
        return self._bytes

    def graph(self, number: int) -> Graph | None:
        """Return the graph that is kept of a network, by the number of its row.

        Raises:
            SourceError: What is kept is no graph, or too large.
        """
        row = next(self._select("SELECT name, graph FROM networks WHERE id = ?", number), None)
        if row is None or row["graph"] is None:
            return None
        name, kept = row["name"], row["graph"]
        try:
            reader = zlib.decompressobj()
            text = reader.decompress(kept, LARGEST_FILE)
            if reader.unconsumed_tail:
                most = f"expected at most {LARGEST_FILE} bytes"
                raise SourceError(f"{self.path}: the graph of {name!r} is too large, {most}")
            return Graph.from_json(text.decode(), f"{self.path}, {name}")
        except (zlib.error, UnicodeDecodeError, TypeError) as error:
            raise SourceError(f"{self.path}: the graph of {name!r} can't be read: {error}") from None


def _size(value: object) -> int:
    return len(value) if isinstance(value, (str, bytes)) and value else 1


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose texts are texts: SQLite keeps anything in a column of any type."""
    for name in schema.TEXTS & row.keys():
        if not isinstance(row[name], str):
            raise TypeError(f"{name} is {shown(row[name])}, expected a text")
    return row


def _is_new(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Write ahead; wait for another scan that makes the same change at this moment, as SQLite does not."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_STEP_S)
        else:
            connection.execute("PRAGMA synchronous = NORMAL")
            return


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all or nothing; the lock is taken at once, since a reader may be unable to become a writer."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _row(key: str, network: Network, outcome: Outcome) -> dict[str, object]:
    facts = outcome.facts
    written = {
        "key": key,
        "name": network.name,
        "source": network.source,
        "arguments": _json(network.arguments),
        "inputs": _json(facts.get("read_inputs", network.inputs)),
        "options": _json(network.options),
        "registry": network.registry,
        "registry_version": network.registry_version,
        "frontend": facts.get("frontend", network.frontend),
        "framework": facts.get("framework", ""),
        "framework_version": facts.get("framework_version", ""),
        "flopledger": _release("flopledger"),
        "status": outcome.status,
        "reason": outcome.reason,
        "published": _json(network.published),
        "digest": facts.get("digest", ""),
        "graph": outcome.graph,
        "seconds": outcome.seconds,
        "peak_bytes": outcome.peak,
        "seconds_at_least": facts.get("seconds_at_least"),
        "counted_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    exact = ("input_size", "params", "trainable_params", "buffers", "macs", "flops", "unknown_calls")
    return written | {name: _exact(facts.get(name)) for name in exact}


def _figures(one: Counted) -> tuple[object, ...]:
    return (
        one.convention, one.switches, one.digest, one.unit,
        _exact(one.count), _exact(one.params), one.unknown_calls, one.reason,
    )  # fmt: skip


def _writable(values: Iterable[object]) -> tuple[object, ...]:
    """Return values as SQLite takes them: text is UTF-8, which half a character is not."""
    return tuple(
        value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for value in values
    )


def _exact(value: object) -> object:
    """Return a figure as SQLite keeps it without loss."""
    return str(value) if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST else value


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
