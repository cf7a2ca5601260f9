# Sourced by scripts/check and scripts/test: what tests need beyond the product itself.

# An ordinary user's PATH lacks the directories with some of the commands that tests look for.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# Commands that only tests call, with the Debian packages that hold them.
TEST_TOOLS="sysctl:procps ps:procps swaks:swaks sslscan:sslscan nmap:nmap shellcheck:shellcheck nsd:nsd ldns-signzone:ldnsutils sqlite3:sqlite3 curl:curl dkimverify:python3-dkim faketime:faketime tcc:tcc debootstrap:debootstrap nsenter:util-linux script:bsdutils strace:strace nginx:nginx-light caddy:caddy haproxy:haproxy ssh:openssh-client dropbear:dropbear-bin mbsync:isync rsyslogd:rsyslog zsh:zsh fish:fish groff:groff-base systemd-nspawn:systemd-container dockerd:docker.io docker-compose:docker-compose promtool:prometheus chromium:chromium"
# Modules without a command, by their files.
TEST_MODULES="/usr/lib/*/rsyslog/imrelp.so:rsyslog-relp /usr/lib/*/rsyslog/lmnsd_gtls.so:rsyslog-gnutls /usr/lib/nginx/modules/ngx_http_modsecurity_module.so:libnginx-mod-http-modsecurity /usr/share/modsecurity-crs/owasp-crs.load:modsecurity-crs /usr/lib/python3/dist-packages/apt_pkg.*.so:python3-apt"

# Tools whose output the server reads. Tests run them where they are unpacked, with their dependencies: installed, they would
# start services, contact other servers, and be found by the servers under test.
TEST_UNPACKED="certspotter debsecan lynis psad"
# From Debian 12's backports.
TEST_BACKPORTS="suricata libhtp2"
UNPACKED=/var/cache/ghostinbox-tests/unpacked

node_26() {
  bash scripts/node-path
}

npm_packages() {
  if has_npm_packages; then return; fi
  # If there are two runs in one clone, the second waits for the first and finds its packages.
  (
    flock 9
    if ! has_npm_packages; then install_npm_packages; fi
  ) 9<package-lock.json
}

has_npm_packages() {
  [ -x "$(node_26)" ] && [ -x node_modules/.bin/tsc ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]
}

install_npm_packages() {
  echo "Installing the npm packages of package-lock.json"
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null
  touch node_modules/.package-lock.json
}

# Installs the library that the Node runtime needs. Once it is here, tests can run while the rest is installed.
node_library() {
  if compgen -G "/usr/lib/*/libatomic.so.1" >/dev/null; then return; fi
  apt-get install -y -q --no-install-recommends libatomic1 >/dev/null 2>&1 ||
    { apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends libatomic1 >/dev/null; }
}

# Installs them together with set-up's, because each run of apt and dpkg reads and writes the state of all packages.
debian_packages() {
  local missing="" tool
  for tool in $TEST_TOOLS; do
    command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
  done
  for tool in $TEST_MODULES; do
    compgen -G "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
  done
  if [ -n "$missing" ]; then echo "Further Debian packages for the tests:$missing"; fi
  # Removes set-up's own logger without asking, because it conflicts with the tests' logger.
  if [[ $missing == *" rsyslog"* ]] && dpkg-query -W busybox-syslogd >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get remove -y -q busybox-syslogd >/dev/null
  fi
  # shellcheck disable=SC2086 # a list of words
  without_man_index bash scripts/setup --debian $missing || return
  unpacked_packages
}

# If this fails, the tests that need these packages are skipped with that reason.
unpacked_packages() {
  local apt="$UNPACKED/apt" options release directory all=true
  if [ "$(cat "$UNPACKED/packages" 2>/dev/null)" = "$TEST_UNPACKED $TEST_BACKPORTS" ]; then return; fi
  echo "Unpacking Debian packages for the tests into $UNPACKED"
  rm -rf "$UNPACKED"
  mkdir -p "$UNPACKED/archives/partial" "$UNPACKED/root"
  # Some packages of Debian 12 still use these names, which are links today.
  for directory in bin sbin lib; do ln -s "usr/$directory" "$UNPACKED/root/$directory"; mkdir -p "$UNPACKED/root/usr/$directory"; done
  release="$(. /etc/os-release && echo "$VERSION_CODENAME")"
  options=(-q -o APT::Sandbox::User=root -o Dir::State::lists="$apt/lists" -o Dir::Etc::sourceparts="$apt/sources")
  list_backports "$release" || all=false
  # shellcheck disable=SC2086 # a list of words
  unpack_packages $TEST_UNPACKED || all=false
  # Separate from the others, which need no backports.
  # shellcheck disable=SC2046,SC2086 # a list of words
  unpack_packages $(printf "%s/$release-backports " $TEST_BACKPORTS) || all=false
  if "$all"; then echo "$TEST_UNPACKED $TEST_BACKPORTS" >"$UNPACKED/packages"; fi
  rm -rf "$UNPACKED/archives" "$apt"
}

# Copies the package lists and sources to $apt and adds backports, so that the machine's own stay unchanged.
list_backports() {
  local mirror
  mkdir -p "$apt/sources"
  cp -a /var/lib/apt/lists "$apt/lists"
  if [ -d /etc/apt/sources.list.d ]; then cp -a /etc/apt/sources.list.d/. "$apt/sources"; fi
  # A second entry that lacks the Signed-By of the machine's own would make apt refuse all sources.
  if [ -z "$(apt-get indextargets "Codename: $1-backports")" ]; then
    mirror="$(apt-get indextargets --format "\$(REPO_URI)" "Codename: $1" "Component: main" | head -n 1)"
    if [ -n "$mirror" ]; then echo "deb $mirror $1-backports main" >"$apt/sources/backports.list"; fi
  fi
  # Ignores other sources that do not answer.
  apt-get update "${options[@]}" >/dev/null || true
}

# Unpacks the named packages, and their dependencies that are not installed.
unpack_packages() {
  local archive
  rm -f "$UNPACKED"/archives/*.deb
  apt-get install -y --download-only --no-install-recommends "${options[@]}" -o Dir::Cache::archives="$UNPACKED/archives" "$@" >/dev/null || return
  for archive in "$UNPACKED"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x --keep-directory-symlink -C "$UNPACKED/root" || return
  done
}

# Runs a command that cannot see man-db's mark, so it does not index all manual pages, which takes seconds (mandb(8)); Debian does so daily.
without_man_index() {
  local hide='mount -t tmpfs tmpfs /var/lib/man-db && exec "$@"'
  if [ -d /var/lib/man-db ] && unshare --mount true 2>/dev/null; then
    unshare --mount bash -c "$hide" - "$@"
  else
    "$@"
  fi
}
