"""`abtest backup` and `restore`, and a service that starts on a bad database."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from abtest._resources import migrations
from abtest.domain.experiment import ExperimentKey
from abtest.store.migrate import known_migrations, migrate
from abtest.store.sqlite.integrity import SERVING_SINCE
from abtest.store.sqlite.store import open_store
from tests.cli.conftest import Commands, Done
from tests.cli.test_serve import ABTEST, Service
from tests.store.builders import NOW, conversion, exposure, home
from tests.web.api.conftest import HOME


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ABTEST_BACKUP_DIR", str(tmp_path / "backups"))
    return tmp_path / "backups"


@pytest.fixture
def filled(run: Commands) -> Commands:
    run("migrate")
    with closing(open_store(run.database)) as store:
        store.add_experiment(home())
        for n in range(200):
            store.record(
                [exposure(2 * n, f"v{n}"), conversion(2 * n + 1, f"v{n}")],
                received_at=NOW,
            )
    return run


def refused(run: Commands, command: Sequence[str] = ABTEST) -> str:
    """Start the service on a database that it must refuse; return the one line."""
    done = subprocess.run(
        [*command, "serve", "--port", "8979"],
        env={**os.environ, "ABTEST_DATABASE": str(run.database)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def report(run: Commands) -> Done:
    return run("report", "home", "--format", "json")


def test_a_restored_report_is_that_of_the_backup(
    filled: Commands, folder: Path
) -> None:
    at_backup = report(filled)
    made = filled("backup", "--json").content
    assert Path(made["path"]).parent == folder
    assert made["size"] == Path(made["path"]).stat().st_size
    assert made["removed"] == []
    with closing(open_store(filled.database)) as store:
        store.record([exposure(999, "later")], received_at=NOW)
    later = report(filled)
    assert later.out != at_backup.out
    done = filled("restore", made["path"], "--json").content
    assert (done["has_checksum"], done["pending"]) == (True, [])
    assert report(filled).out == at_backup.out
    # The way back from the way back.
    undone = filled("restore", done["kept"])
    assert undone.code == 0
    assert "no checksum" in undone.out
    assert report(filled).out == later.out


def test_what_people_read(filled: Commands, tmp_path: Path) -> None:
    done = filled("backup", str(tmp_path / "elsewhere"))
    (path,) = (tmp_path / "elsewhere").glob("*.db")
    assert done.out.startswith(f"{path}  ")
    assert "checked" in done.out
    restored = filled("restore", str(path))
    assert f"{filled.database} is now what {path.name} was" in restored.out
    assert "before-restore" in restored.out


def test_old_backups_are_removed(
    filled: Commands, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABTEST_BACKUP_KEEP_WEEKLY", "0")
    monkeypatch.setenv("ABTEST_BACKUP_KEEP_MONTHLY", "1")
    monkeypatch.setenv("ABTEST_BACKUP_KEEP_DAILY", "1")
    folder.mkdir()
    (folder / "abtest-20200101T000000Z.db").touch()
    assert "removed abtest-20200101T000000Z.db" in filled("backup").out


def test_an_older_backup_is_migrated_when_asked(
    filled: Commands, tmp_path: Path
) -> None:
    first, *rest = known_migrations()
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    shutil.copy(migrations("sqlite") / f"{first}.sql", scripts)
    older = tmp_path / "older.db"
    migrate(older, folder=scripts)
    done = filled("restore", str(older))
    assert "run `abtest migrate`" in done.out
    assert filled("report", "home").code == 1
    done = filled("restore", str(older), "--migrate", "--json")
    assert (done.content["applied"], done.content["pending"]) == (rest, [])
    assert filled("experiment", "list").code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["backup"], "ABTEST_BACKUP_DIR"),
        (["restore", "none.db"], "there is no file"),
    ],
)
def test_what_cannot_be_done_is_said(
    filled: Commands, arguments: list[str], told: str
) -> None:
    done = filled(*arguments)
    assert (done.code, done.out) == (1, "")
    assert told in done.err


def test_nothing_to_back_up(run: Commands, folder: Path) -> None:
    done = run("backup", "--json")
    assert done.code == 1
    assert json.loads(done.err)["type"] == "/problems/not_found"
    assert not folder.exists()


def test_f5_a_read_only_file_or_folder_is_refused_in_one_line(
    filled: Commands,
) -> None:
    # Root passes over rights; without these capabilities it is like anybody.
    like_anybody = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    command = [*(like_anybody if os.geteuid() == 0 else []), *ABTEST]
    for place, mode in ((filled.database, 0o400), (filled.database.parent, 0o500)):
        before = place.stat().st_mode
        place.chmod(mode)
        told = refused(filled, command)
        place.chmod(before)
        assert "is read-only" in told
        assert str(place) in told


def test_f6_a_damaged_file_is_refused_with_the_newest_good_backup(
    filled: Commands, folder: Path
) -> None:
    at_backup = report(filled).out
    made = filled("backup", "--json").content["path"]
    # Newer, but not what it was.
    bad = folder / "abtest-29990101T000000Z.db"
    bad.write_bytes(b"rotten")
    Path(f"{bad}.sha256").write_text(f"{'0' * 64}  {bad.name}\n")
    chance = random.Random(6)
    with filled.database.open("r+b") as file:
        for _ in range(20):
            file.seek(chance.randrange(filled.database.stat().st_size - 512))
            file.write(chance.randbytes(512))
    damaged = filled.database.read_bytes()
    told = refused(filled)
    assert "is damaged" in told
    assert f"`abtest restore {made}`" in told
    assert filled.database.read_bytes() == damaged
    assert filled("restore", made).code == 0
    assert report(filled).out == at_backup


def test_f9_a_database_of_a_newer_version_is_refused(filled: Commands) -> None:
    with closing(sqlite3.connect(filled.database)) as connection, connection:
        connection.execute(
            "UPDATE _sqlite_migrations SET name = '9999_future' WHERE name LIKE '0001%'"
        )
    before = filled.database.read_bytes()
    assert "newer version of abtest (9999_future)" in refused(filled)
    assert filled.database.read_bytes() == before


@pytest.fixture
def service(tmp_path: Path, folder: Path) -> Iterator[Service]:
    """Run a service that takes backups by itself."""
    assert not folder.exists()
    service = Service(tmp_path / "data" / "abtest.db")
    yield service
    if service.process.poll() is None:
        code, complaints = service.stop()
        assert (code, complaints) == (0, "")


def test_f17_backups_under_load_and_a_restore(service: Service, folder: Path) -> None:
    key = service.run("key", "create", "--kind", "sk")
    service.run("experiment", "create", "-", stdin=json.dumps(HOME))
    service.run("experiment", "start", "home")
    ended = threading.Event()
    answers: list[tuple[int, int]] = []

    def send(name: str) -> None:
        for n in range(100_000):
            if ended.is_set():
                return
            batch = [
                {
                    "id": f"{name}-{n}-{i}",
                    "type": "exposure",
                    "experiment": "home",
                    "variant": "a",
                    "visitor": f"{name}-{n}-{i}",
                }
                for i in range(5)
            ]
            status, answer = service.ask(
                "POST", "/api/v1/events", {"events": batch}, key=key
            )
            answers.append((status, answer.get("accepted", 0)))

    senders = [threading.Thread(target=send, args=(f"t{n}",)) for n in range(3)]
    for sender in senders:
        sender.start()
    made = [json.loads(service.run("backup", "--json"))["path"] for _ in range(3)]
    with pytest.raises(subprocess.CalledProcessError) as caught:
        service.run("restore", made[0])
    assert "is in use" in caught.value.stderr
    ended.set()
    for sender in senders:
        sender.join()
    assert set(answers) == {(200, 5)}
    assert {Path(path) for path in made} <= set(folder.glob("*.db"))
    service.stop()
    counts = []
    for path in (made[0], made[-1]):
        service.run("restore", path)
        assert service.run("verify") == "everything agrees with the raw events"
        with closing(open_store(service.database)) as store:
            counts.append(
                sum(m.visitors for m in store.moments(ExperimentKey("home")).values())
            )
    assert counts == sorted(counts)
    assert all(count % 5 == 0 for count in counts)
    assert counts[-1] <= 5 * len(answers)


def test_the_service_takes_backups_and_tells_when_it_cannot(
    service: Service, folder: Path
) -> None:
    for _ in range(200):
        if list(folder.glob("*.db.sha256")):
            break
        threading.Event().wait(0.05)
    (path,) = folder.glob("*.db")
    with closing(sqlite3.connect(service.database)) as connection:
        assert connection.execute(
            "SELECT count(*) FROM setting WHERE name = ?", [SERVING_SINCE]
        ).fetchone() == (1,)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(
            "SELECT count(*) FROM setting WHERE name = ?", [SERVING_SINCE]
        ).fetchone() == (0,)
    assert service.stop() == (0, "")
    with closing(open_store(service.database)) as store:
        assert store.get_setting(SERVING_SINCE) is None


def test_commands_do_not_need_the_driver_for_help() -> None:
    for command in ("backup", "restore", "doctor"):
        code = (
            "import sys\nfrom abtest.cli import main\n"
            f"main([{command!r}, '--help'], standalone_mode=False)\n"
            "sys.exit('sqlite_utils' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=False
        )
        assert done.returncode == 0
