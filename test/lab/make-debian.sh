#!/usr/bin/env bash
# make-debian.sh DIRECTORY: makes what the test files of one run share. Later callers wait for the first (flock(1)).
#   archive   the Debian packages that tests install, as apt fetched and verified them from the machine's sources, with an
#             index of only these, so that apt reads kilobytes each time instead of the 50 MB of Debian's index
#   debian    a Debian 12 made of the archive by debootstrap(8), with only what every Debian has
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
SUITE=bookworm
DIRECTORY=$1
INDEX=main/binary-$(dpkg --print-architecture)/Packages

exec 9>"$DIRECTORY/lock"
flock 9
if [ -d "$DIRECTORY/debian" ]; then exit; fi
NEW=$DIRECTORY/new
rm -rf "$NEW"
mkdir -p "$NEW/fetched/partial" "$NEW/archive/pool" "$NEW/archive/dists/$SUITE/$(dirname "$INDEX")"

# apt as on a machine on which nothing is installed, with the package lists of this one.
: >"$NEW/nothing"
for option in State::status="$NEW/nothing" Cache::archives="$NEW/fetched" Cache::pkgcache="$NEW/cache" Cache::srcpkgcache="$NEW/lists"; do
  AS_ELSEWHERE+=(-o "Dir::$option")
done
AS_ELSEWHERE+=(-o Debug::NoLocking=1 -o APT::Sandbox::User=root)

fetch() {
  apt-get "${AS_ELSEWHERE[@]}" install --no-install-recommends --download-only -y -qq "$@" >"$NEW/log" 2>&1
}

# Packages of every Debian, of set-up and of the Dockerfile; then those that conflict with them or replace them. In a single
# request, apt would choose the latter where a package needs one of several.
fetch_all() {
  # shellcheck disable=SC2046 # a list of words
  fetch '?priority(required)' apt usr-is-merged $(bash scripts/setup --list-packages) tini nmap sslscan swaks libnet-ssleay-perl &&
    fetch curl esmtp-run bsd-mailx libconfig-tiny-perl
}

fetch_all || { apt-get update -qq && fetch_all; } || { cat "$NEW/log" >&2; exit 1; }

# Each gets its own name, without the directories of Debian's pool.
for deb in "$NEW/fetched/"*.deb; do
  IFS=_ read -r name version _ <<<"$(basename "$deb")"
  echo "$name=${version/\%3a/:}"
done | xargs apt-cache "${AS_ELSEWHERE[@]}" show | awk -v RS= -v ORS='\n\n' -v moves="$NEW/moves" '
  {
    split($0, lines, "\n")
    for (i in lines) if (split(lines[i], part, ": ") == 2) field[part[1]] = part[2]
    from = field["Package"] "_" field["Version"] "_" field["Architecture"] ".deb"
    gsub(":", "%3a", from)
    to = field["Filename"]
    sub(".*/", "", to)
    printf "%s %s\n", from, to > moves
    sub(/\nFilename: [^\n]*/, "\nFilename: pool/" to)
    print
  }' >"$NEW/archive/dists/$SUITE/$INDEX"
while read -r from to; do mv "$NEW/fetched/$from" "$NEW/archive/pool/$to"; done <"$NEW/moves"
read -r sum _ < <(sha256sum "$NEW/archive/dists/$SUITE/$INDEX")
cat >"$NEW/archive/dists/$SUITE/Release" <<END
Origin: Debian
Codename: $SUITE
Date: $(date --utc --rfc-email)
Components: main
SHA256:
 $sum $(stat -c %s "$NEW/archive/dists/$SUITE/$INDEX") $INDEX
END

# Doesn't wait for the disk, because none of this is needed after a power failure. Nor are the packages once they are installed.
DPKG_FORCE=unsafe-io debootstrap --no-check-gpg --variant=minbase "$SUITE" "$NEW/debian" "file://$NEW/archive" >"$NEW/log" 2>&1 ||
  { tail -n 5 "$NEW/log" >&2; exit 1; }
rm "$NEW/debian/var/cache/apt/archives/"*.deb
# debian-tree.ts writes these files for each copy.
rm "$NEW/debian/etc/apt/sources.list" "$NEW/debian/etc/resolv.conf"
echo force-unsafe-io >"$NEW/debian/etc/dpkg/dpkg.cfg.d/fast"
mv "$NEW/archive" "$NEW/debian" "$DIRECTORY"
rm -r "$NEW"
