# Sourced by scripts/check and scripts/test: what tests need beyond the product itself.

# Where Debian installs what tests ask about; an ordinary user's PATH lacks it.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# Commands that only tests call, with the Debian packages that hold them.
TEST_TOOLS="sysctl:procps ps:procps swaks:swaks sslscan:sslscan nmap:nmap shellcheck:shellcheck nsd:nsd ldns-signzone:ldnsutils sqlite3:sqlite3 curl:curl dkimverify:python3-dkim faketime:faketime tcc:tcc debootstrap:debootstrap nsenter:util-linux script:bsdutils strace:strace nginx:nginx-light caddy:caddy haproxy:haproxy ssh:openssh-client dropbear:dropbear-bin mbsync:isync rsyslogd:rsyslog zsh:zsh fish:fish groff:groff-base systemd-nspawn:systemd-container dockerd:docker.io docker-compose:docker-compose promtool:prometheus chromium:chromium"
# Modules without a command, by their files.
TEST_MODULES="/usr/lib/*/rsyslog/imrelp.so:rsyslog-relp /usr/lib/*/rsyslog/lmnsd_gtls.so:rsyslog-gnutls /usr/lib/nginx/modules/ngx_http_modsecurity_module.so:libnginx-mod-http-modsecurity /usr/share/modsecurity-crs/owasp-crs.load:modsecurity-crs"

node_26() {
  bash scripts/node-path
}

npm_packages() {
  if [ -x "$(node_26)" ] && [ -x node_modules/.bin/tsc ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]; then
    return
  fi
  echo "Installing the npm packages of package-lock.json"
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null
  touch node_modules/.package-lock.json
}

# The Node runtime needs it: with it, tests run while all else comes.
node_library() {
  if compgen -G "/usr/lib/*/libatomic.so.1" >/dev/null; then return; fi
  apt-get install -y -q --no-install-recommends libatomic1 >/dev/null 2>&1 ||
    { apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends libatomic1 >/dev/null; }
}

# With those of set-up: each run of apt and dpkg reads and writes what it knows of all packages.
debian_packages() {
  local missing="" tool
  for tool in $TEST_TOOLS; do
    command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
  done
  for tool in $TEST_MODULES; do
    compgen -G "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
  done
  if [ -n "$missing" ]; then echo "Besides those of set-up, Debian packages for the tests:$missing"; fi
  # Set-up's own logger makes room for that of the tests, without a question.
  if [[ $missing == *" rsyslog"* ]] && dpkg-query -W busybox-syslogd >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get remove -y -q busybox-syslogd >/dev/null
  fi
  # shellcheck disable=SC2086 # a list of words
  without_man_index bash scripts/setup --debian $missing
}

# An index of all manual pages takes seconds (mandb(8)). A command to which its mark is hidden makes none; Debian does so once a day.
without_man_index() {
  local hide='mount -t tmpfs tmpfs /var/lib/man-db && exec "$@"'
  if [ -d /var/lib/man-db ] && unshare --mount true 2>/dev/null; then
    unshare --mount bash -c "$hide" - "$@"
  else
    "$@"
  fi
}
