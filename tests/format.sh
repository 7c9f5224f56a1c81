#!/bin/sh
# Every C file is as clang-format would have it. Exit status 77: there is no
# clang-format of the version that .clang-format names, or no git to list the files.
#   format.sh SOURCE_DIR
set -u
cd "$1" || exit 1

skip() {
    echo "skipped: $1"
    exit 77
}

git ls-files --error-unmatch .clang-format >/dev/null 2>&1 || skip "not a git checkout"
major=$(sed -n 's/^# clang-format \([0-9]*\).*/\1/p' .clang-format)
for format in "clang-format-$major" clang-format none; do
    case $("$format" --version 2>/dev/null) in
    *" version $major."*) break ;;
    esac
done
[ "$format" != none ] || skip "clang-format $major is not installed"

if ! git ls-files -z '*.c' '*.h' | xargs -0 "$format" --dry-run --Werror; then
    echo "FAILED: $format -i FILE mends it"
    exit 1
fi
