#!/bin/sh
# From a fresh Debian 12 or Ubuntu 24.04 to a class on JupyterHub: sudo deploy/jupyterhub/set-up.sh
#
# Run it from a copy of the course that root may read. It can be run again, which is also how to update: what
# is there is kept, and an edited /etc/jupyterhub is never written over. README.md, beside this, says the rest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
course=$(cd "$here/../.." && pwd)
into=/opt/unrolled
settings=/etc/jupyterhub
exchange=/srv/nbgrader/exchange
teacher=${TEACHER:-teacher}

[ "$(id -u)" = 0 ] || { echo "It installs packages and makes accounts: run it as root, with sudo." >&2; exit 1; }

echo "1. Packages of the system"
missing=
for pair in git:git npm:npm bwrap:bubblewrap; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair##*:}"
done
/usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3 python3-venv"
if [ -n "$missing" ]; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

echo "2. Hub, JupyterLab, nbgrader and the course in $into"
[ -x "$into/bin/python" ] || /usr/bin/python3 -m venv "$into"
"$into/bin/pip" install --quiet -c "$course/constraints.txt" "$course[grading${EXTRAS:+,$EXTRAS}]" \
    jupyterhub nbgitpuller
npm install --silent --no-fund --no-audit --prefix "$into" configurable-http-proxy

echo "3. Accounts and folders"
getent group students >/dev/null || groupadd students
id "$teacher" >/dev/null 2>&1 || useradd --create-home --key HOME_MODE=0700 --shell /bin/bash "$teacher"
home=$(getent passwd "$teacher" | cut -d: -f6)
mkdir -p "$exchange"
chmod 1777 "$exchange" # all may hand in, and nobody may move what is another's
mkdir -p "$settings"
for name in jupyterhub_config.py everyone teacher; do
    [ -e "$settings/$name" ] || cp -r "$here/$name" "$settings/$name"
done
sed -i "s/^TEACHER = \"teacher\"/TEACHER = \"$teacher\"/" "$settings/jupyterhub_config.py"
chmod -R u=rwX,go=rX "$settings"
mkdir -p "$into/etc/jupyter"
ln -sfn "$settings/everyone/nbgrader_config.py" "$into/etc/jupyter/nbgrader_config.py" # for shells outside the hub

echo "4. The course and its classroom in $home/unrolled"
as_teacher() { runuser -u "$teacher" -- env HOME="$home" PATH="$into/bin:$PATH" "$@"; }
if [ ! -e "$home/unrolled" ]; then
    cp -r "$course" "$home/unrolled"
    rm -rf "$home/unrolled/.venv" "$home/unrolled/build"
    chown -R "$teacher:" "$home/unrolled"
fi
chmod 700 "$home/unrolled" # the solutions are in there
(cd "$home/unrolled" && as_teacher unrolled workspace)
(cd "$home/unrolled" && as_teacher unrolled doctor) || {
    echo "The sandbox does not hold here; README.md says what to do. Students can work, and nobody can grade yet." >&2
}

echo "5. The hub"
if [ -d /run/systemd/system ]; then
    cp "$here/jupyterhub.service" /etc/systemd/system/jupyterhub.service
    systemctl daemon-reload
    systemctl enable --quiet jupyterhub
    systemctl restart jupyterhub
    echo "It runs at http://127.0.0.1:8000. Give $teacher a password: passwd $teacher"
else
    echo "There is no systemd here. Start it: PATH=$into/bin:$into/node_modules/.bin:\$PATH jupyterhub --config $settings/jupyterhub_config.py"
fi
