"""A class on one machine: who may log in, and which settings their servers read. README.md says the rest."""

import os
from pathlib import Path

c = get_config()  # noqa: F821
HERE = Path(__file__).resolve().parent

TEACHER = "teacher"  # the account that holds the course and its gradebook, and grades
COLLEAGUES = []  # who else may use its server

# Accounts of this machine, with their passwords (PAM). Another authenticator replaces these three lines.
c.Authenticator.allowed_users = {TEACHER, *COLLEAGUES}
c.LocalAuthenticator.allowed_groups = {"students"}
c.Authenticator.allow_existing_users = False  # who left the group stays out


def settings(spawner):
    """Jupyter's folders of settings: what stands further to the left counts more."""
    folders = [HERE / "teacher"] if spawner.user.name == TEACHER else []
    return os.pathsep.join(map(str, [*folders, HERE / "everyone"]))


c.Spawner.environment = {"JUPYTER_CONFIG_PATH": settings, "OMP_NUM_THREADS": "1"}
c.Spawner.default_url = "/lab"
c.Spawner.args = ["--ServerApp.shutdown_no_activity_timeout=7200"]  # seconds
c.JupyterHub.load_roles = [
    {
        "name": "colleagues",
        "users": COLLEAGUES,
        "scopes": [f"{what}!user={TEACHER}" for what in ("servers", "access:servers", "list:users")],
    }
]


def where_to_grade(user):
    """What the home page of whoever grades shows; JupyterLab may not frame the formgrader on a hub."""
    if user is None or user.name not in {TEACHER, *COLLEAGUES}:
        return ""
    paths = {"formgrader": f"/user/{TEACHER}/formgrader", f"{TEACHER}'s server": f"/hub/spawn/{TEACHER}"}
    return "To grade: " + ", ".join(f'<a href="{path}">{name}</a>' for name, path in paths.items())


c.JupyterHub.template_vars = {"announcement": where_to_grade}
c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # behind a web server that does TLS
c.JupyterHub.cleanup_servers = False  # a restart of the hub interrupts nobody
