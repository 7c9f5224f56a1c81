# shellcheck shell=sh
# Sourced by tuner/quickstart.sh and tests/run.sh: makes sure that Debian packages
# are there. Looks first, so a second run costs nothing and needs no network.
# Knows nothing of what the packages are for.

# Prints those of the packages named that are not installed.
missing_packages() {
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
        *' installed') ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# Installs what is missing: as root, or by sudo where that asks for no password;
# otherwise says the command to type, and fails.
ensure_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        echo "Not Debian or Ubuntu: please see to the equivalents of these yourself: $*" >&2
        return 0
    fi
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        return 0
    fi
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        echo "These packages are missing, and installing them takes root. Please type:" >&2
        echo "    sudo apt-get update && sudo apt-get install -y ${missing% }" >&2
        return 1
    fi
    echo "Installing ${missing% }"
    apt='env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300'
    # Unquoted on purpose: as_root, apt and missing are lists of words.
    # shellcheck disable=SC2086
    $as_root $apt update || echo "The package lists could not be renewed; trying those at hand." >&2
    # shellcheck disable=SC2086
    if ! $as_root $apt install -y --no-install-recommends $missing >/dev/null; then
        echo "The packages could not be installed. Please try by hand:" >&2
        echo "    sudo apt-get install -y ${missing% }" >&2
        return 1
    fi
}

# Installs those of the packages that this distribution has, and says which it has not: what
# they are for is left out then.
offer_packages() {
    offered=
    for package in $(missing_packages "$@"); do
        if apt-cache show "$package" >/dev/null 2>&1; then
            offered="$offered $package"
        else
            echo "Not in this distribution, and left out: $package"
        fi
    done
    # shellcheck disable=SC2086
    [ -z "$offered" ] || ensure_packages $offered || echo "Left out:$offered"
}
