#!/bin/sh
# Makes a bare Debian 12 host a control node, from this folder alone: no network, nothing unverified.
#
#   ./install.sh --fingerprint "<the release key's 40 digits, from paper>" [--prefix /opt/rollout]
#                [--commands /usr/local/bin] [--home DIR] [--allow-older]
#
# Before this script itself is run it has to be verified by hand; docs/release.md gives the three commands.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
fingerprint=''
prefix=/opt/rollout
commands=/usr/local/bin
home=${ROLLOUT_HOME:-/var/lib/rollout}
older=''

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
        --fingerprint) fingerprint=${2:?} && shift 2 ;;
        --prefix) prefix=${2:?} && shift 2 ;;
        --commands) commands=${2:?} && shift 2 ;;
        --home) home=${2:?} && shift 2 ;;
        --allow-older) older=--allow-older && shift ;;
        *) fail "unknown option $1" ;;
    esac
done

# Unpacking leaves this script beside the build's folder as well; the build is what counts.
if [ ! -f "$here/manifest.json" ]; then
    set -- "$here"/*/manifest.json
    [ $# = 1 ] && [ -f "$1" ] || fail 'not exactly one build beside me; run the install.sh inside the build'
    here=$(dirname "$1")
    cmp -s "$0" "$here/install.sh" || fail 'I am not the install.sh of the build beside me; do not use this bundle'
fi
case $here in
    *[[:space:]]*) fail "$here: apt cannot read a folder with a space in its name; move the bundle" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# The signature, by the key whose fingerprint the operator holds on paper.
signed_by() {
    gpgv --status-fd 1 --ignore-time-conflict --keyring "$here/keys/release.gpg" "$1.asc" "$1" 2>/dev/null |
        sed -n 's/^\[GNUPG:\] VALIDSIG \([0-9A-F]*\) .*/\1/p'
}

verify() {
    wanted=$(printf %s "$fingerprint" | tr -d ' \n' | tr a-f A-F)
    [ -n "$wanted" ] || fail 'give the fingerprint of the release key, from paper: --fingerprint "…"'
    for signed in manifest.json SHA256SUMS; do
        found=$(signed_by "$here/$signed")
        [ -n "$found" ] || fail "$signed: the signature is not good; copy the bundle again"
        [ "$found" = "$wanted" ] || fail "$signed: signed by $found, not by $wanted; do not use this bundle"
    done
    (cd "$here" && sha256sum --check --strict --quiet SHA256SUMS >&2) ||
        fail 'the files named above are not what was signed; copy the bundle again'
    sed 's/^[0-9a-f]*  //' "$here/SHA256SUMS" >"$work/listed"
    printf '%s\n' manifest.json manifest.json.asc SHA256SUMS SHA256SUMS.asc >>"$work/listed"
    (cd "$here" && find . ! -type d) | sed 's|^\./||' | grep -vxF -f "$work/listed" >"$work/extra" || true
    [ ! -s "$work/extra" ] || fail "not part of what was signed: $(head -n 5 "$work/extra" | tr '\n' ' ')"
}

# Only packages that are missing, only from this folder; what apt knows of other sources is not read.
install_packages() {
    suite=$(basename "$here"/apt/dists/*)
    index=$(echo "$here/apt/dists/$suite"/control/binary-*/Packages)
    dpkg-query --show --showformat '${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii *//p' >"$work/installed"
    missing=$(awk -v wanted="$here/apt/control.packages" '
        BEGIN { while ((getline name < wanted) > 0) asked[name] = 1 }
        FILENAME == ARGV[1] { there[$1] = 1; next }
        $1 == "Package:" && ($2 in asked) && !($2 in there) { print $2 }' "$work/installed" "$index")
    [ -n "$missing" ] || return 0
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/empty"
    printf 'deb [signed-by=%s] file:%s %s control\n' \
        "$here/keys/release.gpg" "$here/apt" "$suite" >"$work/sources.list"
    # As root throughout: apt's own user need not be able to read the folder that the bundle lies in.
    for command in 'update' "install --yes --no-install-recommends $missing"; do
        # shellcheck disable=SC2086  # the words of a command and of a list of package names
        DEBIAN_FRONTEND=noninteractive apt-get -qq \
            -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/empty" \
            -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$work/empty" \
            -o Dir::State::Lists="$work/lists" -o Dir::Cache::Archives="$work/archives" \
            -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root \
            -o Acquire::Check-Date=false -o Dpkg::Use-Pty=0 $command >>"$work/log" 2>&1 || {
            tail -n 40 "$work/log" >&2
            fail "apt-get could not install: $(echo $missing)"
        }
    done
}

# A complete environment gets its name last; the one in use stays until then.
install_tool() {
    build=$(sed -n 's/^ "release":[^0-9]*\([0-9.]*\)",$/\1/p' "$here/manifest.json")
    build=$build-$(sed -n 's/^ "serial":[^0-9]*\([0-9]*\),$/\1/p' "$here/manifest.json")
    target=$prefix/$build
    if [ ! -f "$target/complete" ]; then
        rm -rf "$target"
        mkdir -p "$prefix"
        python3 -m venv --without-pip "$target"
        python3 "$(echo "$here"/wheels/pip-*.whl)/pip" --python "$target/bin/python" --isolated \
            install --quiet --no-index --no-deps --no-compile --no-cache-dir --disable-pip-version-check \
            --require-hashes --requirement "$here/wheels/control.requirements.txt" \
            --find-links "$here/wheels" || fail "pip could not install the control node's wheels"
        : >"$target/complete"
    fi
}

verify
[ "$(id -u)" = 0 ] || fail 'the bundle is good; to install it, run this as root (sudo ./install.sh …)'
install_packages
install_tool
ROLLOUT_HOME=$home "$target/bin/rollout" release import "$here" --fingerprint "$fingerprint" $older
ln -sfn "$build" "$prefix/current"
mkdir -p "$commands"
ln -sfn "$prefix/current/bin/rollout" "$commands/rollout"
printf 'rollout of %s is installed: %s\n' "$build" "$target"
