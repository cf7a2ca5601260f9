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

debian_packages() {
  local missing="" tool
  for tool in $TEST_TOOLS; do
    command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
  done
  for tool in $TEST_MODULES; do
    compgen -G "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
  done
  [ -n "$missing" ] || return 0
  echo "Installing Debian packages for the tests:$missing"
  # A policy-rc.d that says 101 keeps packaged services from starting (invoke-rc.d(8)).
  local policy=/usr/sbin/policy-rc.d made=""
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=yes
  fi
  local status=0
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null ||
    { apt-get update -q >/dev/null &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null; } || status=$?
  [ -z "$made" ] || rm -f "$policy"
  return $status
}
