"""The accounting of a SLURM of our own: MariaDB and slurmdbd, with data, sockets and ports of their own."""

import getpass
import os
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("slurmdbd", "mariadbd", "mariadb", "mariadb-install-db")


def start_accounting(base: Path, *, port: int, database_port: int, environment: dict[str, str]) -> None:
    """Start both, and make the cluster, one account and this user known to them."""
    data, database = base / "database", base / "run" / "database.socket"
    log = (base / "log" / "database.log").open("wb")
    mine = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={data}"]
    subprocess.run(
        ["mariadb-install-db", *mine, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        timeout=60,
        stdout=log,
        stderr=log,
    )
    server = [f"--socket={database}", f"--pid-file={base}/run/mariadbd.pid", "--bind-address=127.0.0.1"]
    server += [f"--port={database_port}", "--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900"]
    subprocess.run(  # mariadbd does not leave its starter by itself as the other daemons do
        ["setsid", "--fork", "mariadbd", *mine, *server, "--skip-log-bin"],
        check=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, **environment},
    )
    log.close()
    ask_database = ["mariadb", "--no-defaults", "-u", "root", "-S", str(database), "-e"]
    _until_answered([*ask_database, "SELECT 1"], environment)
    grants = "".join(
        f"CREATE USER 'slurm'@'{host}' IDENTIFIED BY 'slurm'; GRANT ALL ON slurm_acct_db.* TO 'slurm'@'{host}'; "
        for host in ("127.0.0.1", "localhost")
    )
    subprocess.run([*ask_database, f"CREATE DATABASE slurm_acct_db; {grants}"], check=True, timeout=30)
    settings = base / "slurmdbd.conf"
    settings.touch(mode=0o600)  # slurmdbd refuses a file that others may read
    settings.write_text(f"""\
AuthType=auth/munge
AuthInfo=socket={base}/run/munge.socket
DbdHost={socket.gethostname().split(".")[0]}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={getpass.getuser()}
LogFile={base}/log/slurmdbd.log
PidFile={base}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
""")
    subprocess.run(["slurmdbd"], check=True, timeout=30, env={**os.environ, **environment})
    _until_answered(["sacctmgr", "-n", "list", "cluster"], environment)
    for words in (
        ["cluster", "test"],
        ["account", "ecg", "Description=ecg", "Organization=test"],
        ["user", getpass.getuser(), "Account=ecg"],
    ):
        subprocess.run(
            ["sacctmgr", "-i", "add", *words],
            check=True,
            timeout=30,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
        )


def _until_answered(question: list[str], environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 60
    while subprocess.run(
        question, capture_output=True, timeout=60, check=False, env={**os.environ, **environment}
    ).returncode:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{question[0]} does not answer")
        time.sleep(0.1)
