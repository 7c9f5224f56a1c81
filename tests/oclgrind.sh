#!/bin/sh
# The tiny grid and the properties of every kernel family under Oclgrind, which
# finds data races, accesses out of bounds and uninitialised values. It exits 0
# whatever it finds, so its log must be empty, and the checks must have been made.
#   oclgrind.sh SQA_PROGRAM [CONFIGS]
set -eu
sqa=$1
configs=${2:-2}
if ! command -v oclgrind >/dev/null 2>&1; then
    echo "oclgrind is not installed"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
oclgrind --data-races --uninitialized --log "$work/log" \
    "$sqa" verify --tiny --configs "$configs" --json >"$work/report" 2>"$work/errors" || {
    cat "$work/report" "$work/errors" "$work/log" 2>/dev/null | head -n 60
    echo "checks failed under Oclgrind" >&2
    exit 1
}
if [ -s "$work/log" ]; then
    head -n 60 "$work/log"
    echo "Oclgrind has found $(wc -l <"$work/log") lines of trouble" >&2
    exit 1
fi
# The document's last fields: how many checks were made, and how many failed.
checked=$(sed -n 's/^  "checked": \([0-9]*\).*/\1/p' "$work/report")
failed=$(sed -n 's/^  "failed": \([0-9]*\).*/\1/p' "$work/report")
grep -q -i oclgrind "$work/report" || { echo "not run on Oclgrind" >&2; exit 1; }
if [ "${checked:-0}" -lt 30 ] || [ "${failed:-1}" -ne 0 ]; then
    cat "$work/report"
    echo "checked: ${checked:-none}, failed: ${failed:-unknown}" >&2
    exit 1
fi
echo "$checked checks under Oclgrind, nothing found"
