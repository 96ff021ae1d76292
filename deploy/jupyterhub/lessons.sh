#!/bin/sh
# Put the lessons, and nothing else of the course, into a git repository that nbgitpuller can hand out.
#
#   lessons.sh FOLDER [COURSE]     FOLDER is made if it is missing; COURSE is the folder with solutions/ and lessons/
#
# Run it again after every change of the lessons. It commits only what changed, and pushes nothing.
set -eu
[ $# -ge 1 ] || { echo "usage: lessons.sh FOLDER [COURSE]" >&2; exit 2; }
course=${2:-.}
if [ -e "$1" ] && [ ! -e "$1/.git" ] && [ -n "$(ls -A "$1")" ]; then
    echo "$1 holds something else than a repository of lessons; name another folder." >&2
    exit 1
fi
said=$(unrolled lessons "$1" --update --course "$course")
echo "$said" | head -n 1
cd "$1"
[ -e .git ] || git init --quiet --initial-branch=main
git add --all
if git diff --cached --quiet; then
    echo "Nothing is new."
else
    git -c "user.name=${GIT_AUTHOR_NAME:-Unrolled}" -c "user.email=${GIT_AUTHOR_EMAIL:-unrolled@localhost}" \
        commit --quiet --message "Lessons of $(date +%F)"
    echo "Committed: $(git log -1 --format=%h)."
fi
