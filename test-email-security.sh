#!/usr/bin/env bash
# Tests the security of a mail server from outside, as a stranger sees it. Changes nothing, and installs nothing.
#   ./test-email-security.sh                       the server on this machine
#   ./test-email-security.sh mail.example.org      any other: see docs/security-test.md first, or it may ban you
# One line a test: ok, WRONG, or unknown, and what was seen. Exit code: 0 all is ok; 1 something is WRONG or unknown;
# 2 nothing was tested: wrong usage, a tool is missing, or the host does not answer.
#
# It tries one wrong password on each port. No mail that it starts can be delivered: it leaves before DATA, or the mail
# has passed too many servers (see smuggle). What the server says is data: it is never run, and report makes it printable.
set -uo pipefail
export LC_ALL=C
# What someone set for their own mails.
unset "${!SWAKS_OPT_@}"

# command:Debian package
TOOLS="nmap:nmap sslscan:sslscan swaks:swaks curl:curl openssl:openssl hostname:hostname perl:perl"
MAIL_PORTS="25 465 587 993"
# Mail without TLS; remote shells and files; databases; dashboards, filters and resolvers, which only this machine may reach.
SHUT_PORTS="21 23 24 26 110 111 139 143 445 783 873 953 1433 2049 2375 3000 3306 5432 5900 6379 8080 9200 10023 10025 10026 11211 11332 11333 11334 27017"
USER_NAME="test"
PASSWORD=wrong
# Seconds for one reply; a server may greet slowly on purpose.
export PATIENCE=20
# Seconds in which a server that took the end of a mail answers.
export END_PATIENCE=2
# Seconds for a connection to a port that was open before.
export CONNECT_PATIENCE=4
# Seconds in which someone at a terminal can change their mind.
CHANCE=5
# RFC 2606: reserved.
FOREIGN=relay-test@example.com

OK=0
WRONG=0
UNKNOWN=0
# Mail ports that were open and take no connection any more; and those that speak no TLS.
LOST=""
PLAIN=""

main() {
  local host=localhost at_once=no port
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --yes) at_once=yes ;;
      --foreign) [[ ${2:-} =~ ^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$ ]] || refuse "--foreign needs a mail address." && FOREIGN=$2 && shift ;;
      --timeout) [[ ${2:-} =~ ^[1-9][0-9]?$ ]] || refuse "--timeout needs 1 to 99 seconds." && PATIENCE=$2 && shift ;;
      -*) refuse "Unknown option $1." ;;
      *) break ;;
    esac
    shift
  done
  [ $# -le 1 ] || refuse "Name one host, after the options."
  host=${1:-localhost}
  [[ $host =~ ^[A-Za-z0-9_.:-]+$ ]] || refuse "This is neither a host name nor an address: $host"
  require_tools
  find_host "$host"
  announce "$host" "$at_once"
  test_ports "$host"
  # It mostly waits, so it runs beside the others.
  if is_open 25; then exec 4< <(bounded 180 bash -c 'smuggle "$@"' smuggle "$ADDRESS" "$HELO"); fi
  for port in 25 587; do
    if is_open "$port" && reach "$port" "what it tells"; then test_answers "$port"; fi
  done
  if is_open 587 && reach 587 "passwords"; then test_submission 587 --tls-optional; fi
  if is_open 465 && reach 465 "passwords"; then test_submission 465 --tls-on-connect; fi
  if is_open 993 && reach 993 "passwords"; then test_imaps; fi
  for port in $MAIL_PORTS; do
    if is_open "$port" && reach "$port" "TLS"; then test_tls "$port"; fi
  done
  if is_open 25 && reach 25 "relaying"; then test_relay; fi
  if is_open 25; then test_smuggling "$(cat <&4)"; fi
  if [ -n "$LOST" ]; then
    printf '\n%s took no more connections at%s: it has probably limited or banned your address. Allow the address there, and test again.\n' "$host" "$LOST"
  fi
  printf '\n%s: %d ok, %d WRONG, %d unknown.\n' "$host" "$OK" "$WRONG" "$UNKNOWN"
  [ $((WRONG + UNKNOWN)) = 0 ]
}

usage() {
  cat <<END
Usage: test-email-security.sh [--yes] [--foreign ADDRESS] [--timeout SECONDS] [HOST]
Tests the security of the mail server on HOST (default: localhost).
  --yes              begin at once; on a terminal it leaves you $CHANCE seconds before it tests another machine
  --foreign ADDRESS  whose mail HOST must not relay (default: $FOREIGN); nothing is sent to it
  --timeout SECONDS  how long to wait for one reply (default: $PATIENCE)
Exit code: 0 everything is ok; 1 something is WRONG or unknown; 2 nothing was tested.
END
}

refuse() {
  printf 'test-email-security.sh: %s\n' "$(harmless "$*")" >&2
  exit 2
}

require_tools() {
  local tool missing=""
  for tool in $TOOLS; do
    command -v "${tool%%:*}" >/dev/null || missing="$missing ${tool##*:}"
  done
  # swaks needs it for TLS, and only recommends it.
  perl -MNet::SSLeay -e 1 2>/dev/null || missing="$missing libnet-ssleay-perl"
  if [ -n "$missing" ]; then
    # In full, however many they are.
    echo "test-email-security.sh: Tools are missing. As root: apt-get install --no-install-recommends$missing" >&2
    echo "Or with Docker: docker run --rm --network host --entrypoint ./test-email-security.sh ghostinbox" >&2
    exit 2
  fi
}

# Sets ADDRESS, TARGET (the same, for tools that want IPv6 in brackets), IS_OWN, and NAME, empty if HOST has none.
find_host() {
  ADDRESS=$(timeout 30 getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }')
  [ -n "$ADDRESS" ] || ADDRESS=$(timeout 30 getent ahosts "$1" | awk 'NR == 1 { print $1 }')
  [ -n "$ADDRESS" ] || refuse "$1 has no address."
  TARGET=$ADDRESS
  [[ $ADDRESS != *:* ]] || TARGET="[$ADDRESS]"
  NAME=$1
  if [ "$1" = localhost ] || [ "$1" = "$ADDRESS" ]; then NAME=""; fi
  OWN_ADDRESSES=" $(hostname -I 2>/dev/null) "
  IS_OWN=no
  if is_loopback || [[ $OWN_ADDRESSES == *" $ADDRESS "* ]]; then IS_OWN=yes; fi
  # A client without a name says its address (RFC 5321, 4.1.3).
  HELO="[$(own_address)]"
}

# announce HOST AT_ONCE: what will be sent, before any of it is.
announce() {
  cat <<END
Testing $1 ($ADDRESS): a scan of its ports, about 200 connections in a minute or two, one wrong password for the user
"$USER_NAME" on each of 587, 465 and 993, 12 attempts to relay, and one mail that never ends. To the server this is an attack:
it may limit or ban your address, so allow the address there first. Test only servers that are yours, or whose owner agreed.
END
  if [ "$IS_OWN" = no ] && [ "$2" = no ] && [ -t 1 ]; then
    echo "It starts in $CHANCE seconds. Ctrl-C stops it."
    sleep "$CHANCE"
  fi
  echo
}

is_loopback() {
  [[ $ADDRESS == 127.* || $ADDRESS == ::1 ]]
}

own_address() {
  local own
  if is_loopback; then echo 127.0.0.1 && return; fi
  for own in $OWN_ADDRESSES; do
    if [[ $own != *:* ]]; then echo "$own" && return; fi
  done
  echo 127.0.0.1
}

# report RESULT TEST WHAT WAS SEEN
report() {
  case $1 in
    ok) OK=$((OK + 1)) ;;
    WRONG) WRONG=$((WRONG + 1)) ;;
    *) UNKNOWN=$((UNKNOWN + 1)) ;;
  esac
  printf '%-7s  %-34s  %s\n' "$1" "$2" "$(harmless "${*:3}")"
}

# harmless TEXT: one short line that does nothing to a terminal.
harmless() {
  # Enough for what is shown of it.
  local text=${1:0:2000}
  text=${text//[$'\r\n\t']/ }
  text=${text//[^[:print:]]/}
  text=${text:0:150}
  printf '%s\n' "${text%"${text##*[! ]}"}"
}

# bounded SECONDS COMMAND...: nothing here waits for longer, takes more memory, answers more, or says what it thinks of it.
bounded() {
  (
    ulimit -v 2000000
    exec timeout --foreground -k 2 "$@" 2>/dev/null </dev/null
  ) | head -c 300000 | tr -d '\000'
}

# connects ADDRESS PORT
connects() {
  # shellcheck disable=SC2016 # for the inner bash
  timeout --foreground "$CONNECT_PATIENCE" bash -c 'exec 3<>"/dev/tcp/$1/$2"' connect "$@" 2>/dev/null
}
export -f connects

# reach PORT WHAT: whether it still takes connections; otherwise WHAT is unknown.
reach() {
  if [[ " $LOST " != *" $1 "* ]]; then
    if bounded 20 bash -c 'connects "$@"' connects "$ADDRESS" "$1"; then return 0; fi
    LOST="$LOST $1"
  fi
  report unknown "$1: $2" "not tested: it takes no connection any more"
  return 1
}

# --- ports

# scan PORTS ADDRESS...: `PORT STATE` of each, open if it is open at any of the addresses. Fails unless nmap saw them all.
scan() {
  local family=() ports=$1
  shift
  [[ $1 != *:* ]] || family=(-6)
  bounded 120 nmap "${family[@]}" -n -Pn -sT --max-retries 2 --host-timeout 100s -p "${ports// /,}" -oG - "$@" |
    awk -v ports="$ports" -v hosts=$# '
      BEGIN { count = split(ports, port, " ") }
      /^# Nmap done/ { done = 1 }
      /\tPorts: / {
        scanned++
        # nmap lists states that many ports share once (nmap(1), -oG).
        others = match($0, /Ignored State: [a-z|]+/) ? substr($0, RSTART + 15, RLENGTH - 15) : "unknown"
        for (i = 1; i <= count; i++) {
          now = match($0, "[ \t]" port[i] "/[a-z|]+/") ? substr($0, RSTART + length(port[i]) + 2, RLENGTH - length(port[i]) - 3) : others
          if (state[i] != "open") state[i] = now
        }
      }
      END {
        if (!done || scanned != hosts) exit 1
        for (i = 1; i <= count; i++) print port[i], state[i]
      }'
}

# in_state STATE PORTS: those of PORTS that have this state in a scan on standard input.
in_state() {
  awk -v state="$1" -v ports=" $2 " '$2 == state && index(ports, " " $1 " ") { print $1 }' | paste -sd ' '
}

is_open() {
  [[ " $OPEN " == *" $1 "* ]]
}

test_ports() {
  local seen found closed outside port test="ports that should be closed"
  seen=$(scan "$MAIL_PORTS $SHUT_PORTS" "$ADDRESS") || refuse "$1 ($ADDRESS) does not answer: nmap could not scan it. Nothing was tested."
  OPEN=$(in_state open "$MAIL_PORTS" <<<"$seen")
  closed=$(in_state closed "$MAIL_PORTS" <<<"$seen")
  if [ -z "$OPEN" ] && [ -n "$closed" ]; then refuse "$1 ($ADDRESS) has no mail server for you: it refuses connections to $closed. Nothing was tested."; fi
  if [ -z "$OPEN" ]; then refuse "$1 ($ADDRESS) does not answer at $MAIL_PORTS. Nothing was tested."; fi
  report ok "mail ports" "open: $OPEN${closed:+; closed: $closed}"
  for port in $MAIL_PORTS; do
    if is_open "$port"; then
      continue
    elif [[ " $closed " != *" $port "* ]]; then
      report unknown "$port: everything" "not tested: no answer (a firewall between it and you may be why)"
    elif [ "$port" = 25 ]; then
      report unknown "25: relaying and smuggling" "not tested: it refuses connections"
    fi
  done
  found=$(in_state open "$SHUT_PORTS" <<<"$seen")
  if [ -z "$found" ] && ! bounded 20 bash -c 'connects "$@"' connects "$ADDRESS" "${OPEN%% *}"; then
    report unknown "$test" "not known: it takes no connection any more, perhaps since the middle of the scan"
  elif [ -z "$found" ]; then
    report ok "$test" "closed: $SHUT_PORTS"
  elif ! is_loopback; then
    report WRONG "$test" "open: $found"
  # On loopback a service may well listen: strangers come by the other addresses.
  elif ! outside=$(scan_own "$found"); then
    report unknown "$test" "open on loopback: $found; nmap could not scan the other addresses"
  else
    outside=$(in_state open "$SHUT_PORTS" <<<"$outside" | tr ' ' '\n' | sort -nu | paste -sd ' ')
    if [ -n "$outside" ]; then report WRONG "$test" "open: $outside"; else report ok "$test" "open on loopback only: $found"; fi
  fi
}

# scan_own PORTS: at each address of this machine but loopback.
scan_own() {
  local own v4=() v6=()
  for own in $OWN_ADDRESSES; do
    if [[ $own == *:* ]]; then v6+=("$own"); else v4+=("$own"); fi
  done
  if [ ${#v4[@]} -gt 0 ]; then scan "$1" "${v4[@]}" || return 1; fi
  if [ ${#v6[@]} -gt 0 ]; then scan "$1" "${v6[@]}" || return 1; fi
}

# --- SMTP in plain text

# talk ADDRESS PORT LINE...: sends each line once the last reply is there, and prints both; `> ` is before a line of ours.
talk() {
  exec 3<>"/dev/tcp/$1/$2" || return 1
  reply "$PATIENCE" || return 1
  say "${@:3}"
}

say() {
  local line
  for line; do
    printf '> %s\n' "$line"
    printf '%s\r\n' "$line" >&3
    reply "$PATIENCE" || return 1
  done
}

# reply SECONDS: reads one reply, of any number of lines, into REPLY_LINE (its last), and prints it.
reply() {
  local line lines=0
  # Ten times what RFC 5321, 4.5.3.1.5 allows; and more lines than any server has to say.
  while [ $((lines += 1)) -le 200 ] && IFS= read -r -n 5120 -t "$1" line <&3; do
    REPLY_LINE=${line%$'\r'}
    printf '%s\n' "$REPLY_LINE"
    [ ${#line} -lt 5120 ] || return 1
    [[ $REPLY_LINE == ???-* ]] || return 0
  done
  return 1
}
export -f talk say reply

# reply_to LINE: from a session, as talk prints it; empty if none came.
reply_to() {
  LINE="> $1" awk '$0 == ENVIRON["LINE"] { on = 1; next } /^> / { on = 0 } on'
}

# The answers to a stranger in plain text, before TLS.
test_answers() {
  local port=$1 seen commands=("EHLO $HELO")
  if [ "$port" = 25 ]; then commands+=("VRFY postmaster" "VRFY no-such-name-here" "EXPN postmaster"); fi
  seen=$(bounded 120 bash -c 'talk "$@"' talk "$ADDRESS" "$port" "${commands[@]}" QUIT)
  test_greeting "$port" "$(sed '/^> /,$d' <<<"$seen")"
  test_before_tls "$port" "$seen"
  if [ "$port" = 25 ]; then test_names "$seen"; fi
}

# test_names SESSION: the answers must not reveal who has a mailbox here.
test_names() {
  local exists other test="25: VRFY tells nothing"
  exists=$(reply_to "VRFY postmaster" <<<"$1")
  other=$(reply_to "VRFY no-such-name-here" <<<"$1")
  case $exists/$other in
    252*/252*) report ok "$test" "$exists" ;;
    2*/2*) report WRONG "$test" "$exists" ;;
    2*/5*) report WRONG "$test" "$exists; of one who does not exist: $other" ;;
    [45]*/?*) report ok "$test" "$exists" ;;
    *) report unknown "$test" "${exists:-no answer}" ;;
  esac
  exists=$(reply_to "EXPN postmaster" <<<"$1")
  test="25: EXPN tells nothing"
  case $exists in
    2*) report WRONG "$test" "$exists" ;;
    [45]*) report ok "$test" "$exists" ;;
    *) report unknown "$test" "${exists:-no answer}" ;;
  esac
}

# test_greeting PORT GREETING: a number with a dot tells a version, unless it is part of the name or an address.
test_greeting() {
  local told_of
  # The name by which a server that was named by its address calls itself.
  [ -n "$NAME" ] || NAME=$(sed -nE '1s/^220[- ]([A-Za-z0-9][A-Za-z0-9.-]{0,250}\.[A-Za-z0-9-]{1,60})( .*)?$/\1/p' <<<"$2")
  told_of=$(sed -E 's/^220[- ][^ ]+//; s/\[[^]]*\]//g' <<<"$2" | grep -oE '[A-Za-z/_-]*[ /]?[0-9]+\.[0-9]+[A-Za-z0-9.+~-]*' | head -n 1)
  # Its last line has no hyphen (RFC 5321, 4.2).
  if [ -n "$told_of" ]; then
    report WRONG "$1: greeting tells no version" "$2"
  elif [[ $(tail -n 1 <<<"$2") =~ ^220( |$) ]]; then
    report ok "$1: greeting tells no version" "$2"
  else
    report unknown "$1: greeting tells no version" "${2:-no greeting}"
  fi
}

# test_before_tls PORT SESSION: a password must not be asked for in plain text, and STARTTLS must be there.
test_before_tls() {
  local offered
  offered=$(reply_to "EHLO $HELO" <<<"$2")
  case $offered in
    250*) ;;
    *) report unknown "$1: no password without TLS" "${offered:-no answer}" && return ;;
  esac
  if grep -qiE '^250[- ]AUTH' <<<"$offered"; then
    report WRONG "$1: no password without TLS" "offered before STARTTLS: $(grep -iE -m 1 '^250[- ]AUTH' <<<"$offered")"
  elif grep -qiE '^250[- ]STARTTLS' <<<"$offered"; then
    report ok "$1: no password without TLS" "STARTTLS is offered, AUTH is not"
  else
    report WRONG "$1: no password without TLS" "STARTTLS is not offered"
    PLAIN="$PLAIN $1"
  fi
}

# --- commands before TLS that count after it (CVE-2011-0411)

# inject ADDRESS PORT HELO MORE: MORE comes in one piece with STARTTLS, and must be forgotten; then there is only QUIT to answer.
inject() {
  talk "$1" "$2" "EHLO $3" || return 1
  echo "> STARTTLS"
  # The printf of bash would send each line separately.
  env printf 'STARTTLS\r\n%s' "$4" >&3
  reply "$PATIENCE" || return 1
  [[ $REPLY_LINE == 220* ]] || return 0
  perl -MNet::SSLeay -e '
    $| = 1;
    alarm shift;
    Net::SSLeay::initialize();
    my $tls = Net::SSLeay::new(Net::SSLeay::CTX_new());
    Net::SSLeay::set_fd($tls, 3);
    Net::SSLeay::connect($tls) == 1 or exit 1;
    print "> TLS\n";
    Net::SSLeay::write($tls, "QUIT\r\n");
    while (length(my $said = Net::SSLeay::read($tls) // "")) { print $said }
  ' "$PATIENCE"
}
export -f inject

test_injection() {
  local seen answer replies test="$1: STARTTLS takes no injection"
  seen=$(injected "$1" $'NOOP\r\n')
  answer=$(reply_to STARTTLS <<<"$seen")
  case $answer in
    220*) ;;
    [45]*) report ok "$test" "$answer" && return ;;
    *) report unknown "$test" "${answer:-no answer to STARTTLS}" && return ;;
  esac
  answer=$(reply_to TLS <<<"$seen")
  replies=$(grep -cE '^[2-5][0-9][0-9]([ \r]|$)' <<<"$answer")
  if [ "$replies" -gt 1 ]; then
    report WRONG "$test" "it answered after the handshake what was sent before it: $answer"
  elif [ "$replies" = 1 ]; then
    report ok "$test" "a command sent with STARTTLS was forgotten"
  elif injected "$1" "" | reply_to TLS | grep -q '^221'; then
    report ok "$test" "it ended the session"
  else
    report unknown "$test" "no answer after STARTTLS"
  fi
}

injected() {
  bounded 60 bash -c 'inject "$@"' inject "$ADDRESS" "$1" "$HELO" "$2"
}

# --- relaying

# offer ADDRESS PORT HELO SENDER RECIPIENT...: how far a mail from one to others would get, without its content.
offer() {
  local recipient
  talk "$1" "$2" "EHLO $3" || return 1
  if [[ $REPLY_LINE != 2* ]]; then say "HELO $3" || return 1; fi
  say "MAIL FROM:<$4>" || return 1
  if [[ $REPLY_LINE == 2* ]]; then
    for recipient in "${@:5}"; do say "RCPT TO:<$recipient>" || return 1; done
  fi
  say QUIT
}
export -f offer

offered() {
  bounded 120 bash -c 'offer "$@"' offer "$ADDRESS" 25 "$HELO" "$@"
}

# by_swaks PORT OPTION...: a session of swaks(1) as talk prints it, without anybody's configuration.
by_swaks() {
  local port=$1 version=-4
  shift
  [[ $ADDRESS != *:* ]] || version=-6
  bounded $((3 * PATIENCE)) swaks --config "$version" --server "$ADDRESS" --port "$port" --helo "$HELO" --timeout "$PATIENCE" "$@" |
    sed -E 's/^ [-~]> ?/> /; s/^<[-~*][-~* ] ?//'
}

test_relay() {
  local user=${FOREIGN%@*} domain=${FOREIGN#*@} own=${NAME:-$HELO} recipient sender seen
  local tricks=(
    "$FOREIGN" "$user%$domain@$own" "$user%$domain" "\"$FOREIGN\"@$own" "\"$FOREIGN\"" "@$own:$FOREIGN" "$domain!$user"
    "$FOREIGN@$own" "$user%$domain@[$ADDRESS]"
  )
  seen=$(offered "" "${tricks[@]}")
  for recipient in "${tricks[@]}"; do judge_relay "25: relays not to $recipient" "<>" "$recipient" "$seen"; done
  for sender in "$FOREIGN" "postmaster@$own" "root@localhost"; do
    seen=$(offered "$sender" "$FOREIGN")
    judge_relay "25: relays not from $sender" "<$sender>" "$FOREIGN" "$seen"
  done
}

judge_relay() {
  local test=$1 answer hint=""
  answer=$(reply_to "RCPT TO:<$3>" <<<"$4")
  [ -n "$answer" ] || answer=$(reply_to "MAIL FROM:$2" <<<"$4" | grep -E '^[45]')
  if [ "$IS_OWN" = yes ]; then hint=" (it trusts this machine: try it from another one)"; fi
  case ${answer,,} in
    2*) report WRONG "$test" "$answer$hint" ;;
    *relay* | *denied*) report ok "$test" "$answer" ;;
    5*"not accept mail"* | 5*nullmx* | 5*"domain not found"*) report unknown "$test" "$answer (try --foreign)" ;;
    5*) report ok "$test" "$answer" ;;
    *) report unknown "$test" "${answer:-$(tail -n 1 <<<"$4")}" ;;
  esac
}

# --- passwords

# test_submission PORT HOW: one wrong password, and a mail without any.
test_submission() {
  local port=$1 how=$2 test="$1: $USER_NAME:$PASSWORD may not sign in" mechanism seen answer
  seen=$(by_swaks "$port" "$how" --quit-after RCPT --from "$FOREIGN" --to "$FOREIGN")
  judge_relay "$port: no mail without a password" "<$FOREIGN>" "$FOREIGN" "$seen"
  for mechanism in PLAIN LOGIN; do
    grep -qE "^250[- ]AUTH.*[ =]$mechanism( |$)" <<<"$seen" || continue
    seen=$(by_swaks "$port" "$how" --quit-after AUTH --auth "$mechanism" --auth-user "$USER_NAME" --auth-password "$PASSWORD")
    break
  done
  answer=$(awk '/^> AUTH/ { on = 1 } /^(235|[45][0-9][0-9])[ -]/ { if (on) { print; exit } }' <<<"$seen")
  case $answer in
    235*) report WRONG "$test" "$answer" ;;
    5*) report ok "$test" "$answer" ;;
    4*) report unknown "$test" "$answer" ;;
    *) report unknown "$test" "it was not asked for: $(tail -n 1 <<<"$seen")" ;;
  esac
}

test_imaps() {
  local seen answer test="993: $USER_NAME:$PASSWORD may not sign in"
  seen=$(bounded 60 curl -q -sSv --stderr - --noproxy '*' -k --connect-timeout "$PATIENCE" --max-time $((2 * PATIENCE)) \
    --user "$USER_NAME:$PASSWORD" "imaps://$TARGET/")
  # Its error 67 comes also from a server that never asked for the password.
  answer=$(awk '/^> [A-Z][0-9]+ (AUTHENTICATE|LOGIN)/ { on = 1 } on && sub(/^< [A-Z][0-9]+ /, "") { print; exit }' <<<"$seen")
  case $answer in
    OK*) report WRONG "$test" "it signed in: $answer" ;;
    "NO [UNAVAILABLE]"* | "NO [LIMIT]"* | "NO [INUSE]"*) report unknown "$test" "$answer" ;;
    NO*) report ok "$test" "$answer" ;;
    *) report unknown "$test" "it was not asked for: ${answer:-$(tail -n 1 <<<"$seen")}" ;;
  esac
}

# --- TLS

starttls_on() {
  [ "$1" = 25 ] || [ "$1" = 587 ]
}

# scan_tls ADDRESS PORT OPTION...: ends sslscan, which would wait for minutes, once the server takes no connection any more.
scan_tls() {
  local scan
  timeout --foreground -k 2 120 sslscan "${@:3}" &
  scan=$!
  # Every five seconds, until its input ends.
  exec 5> >(while read -r -t 5; [ $? -gt 128 ]; do connects "$1" "$2" || kill "$scan"; done >/dev/null)
  wait "$scan"
  exec 5>&-
}
export -f scan_tls

test_tls() {
  local port=$1 how=() scanned protocols old weak certificate
  [[ " $PLAIN " != *" $port "* ]] || { report unknown "$port: TLS" "not tested: STARTTLS is not offered" && return; }
  if starttls_on "$port"; then
    how=(--starttls-smtp)
    test_injection "$port"
  fi
  [ -z "$NAME" ] || how+=("--sni-name=$NAME")
  scanned=$(bounded 150 bash -c 'scan_tls "$@"' scan_tls "$ADDRESS" "$port" --no-colour --no-heartbleed --no-groups --no-fallback \
    --no-renegotiation --no-compression --no-check-certificate --timeout="$PATIENCE" "${how[@]}" --xml=- "$TARGET:$port")
  protocols=$(sed -nE 's/.*<protocol type="(ssl|tls)" version="([0-9.]+)" enabled="1".*/\1 \2/p' <<<"$scanned" |
    sed 's/ssl /SSLv/; s/tls /TLS /' | paste -sd , | sed 's/,/, /g')
  old=$(grep -oE 'SSLv[0-9]|TLS 1\.[01]' <<<"$protocols" | paste -sd ' ')
  # Between mail servers a cipher without authentication (ADH) is not worse than none: port 25 takes plain text too.
  weak=$(grep -E '<cipher status="(accepted|preferred)"' <<<"$scanned" | grep -E 'strength="(null|weak|medium|anonymous)"' |
    { if [ "$port" = 25 ]; then grep -v 'strength="anonymous"'; else cat; fi; } |
    sed -E 's/.* cipher="([^"]*)".*/\1/' | sort -u | paste -sd ' ')
  if [ -z "$protocols" ]; then reach "$port" "TLS" || return; fi
  # A server that stops answering while sslscan asks looks as if it accepted nothing more: a good result holds only if the scan
  # came to its end, and a handshake after it succeeded.
  certificate=$(shown_certificate "$port")
  if [ -z "$protocols" ]; then
    judge_none "$port: TLS 1.2 and 1.3 only" "" "" "sslscan could not speak TLS there"
  else
    if [[ $scanned != *"</document>"* || -z $certificate ]]; then protocols=""; fi
    judge_none "$port: TLS 1.2 and 1.3 only" "$old" "$protocols" "it stopped answering during the scan"
    judge_none "$port: no weak cipher" "$weak" "${protocols:+$(grep -cE '<cipher status="(accepted|preferred)"' <<<"$scanned") ciphers}" \
      "it stopped answering during the scan"
  fi
  judge_certificate "$port" "$certificate"
}

# judge_none TEST WRONG OK UNKNOWN: the first argument that is not empty: a fault, the good result, or why it is not known.
judge_none() {
  if [ -n "$2" ]; then
    report WRONG "$1" "$2"
  elif [ -n "$3" ]; then
    report ok "$1" "$3"
  else
    report unknown "$1" "$4"
  fi
}

shown_certificate() {
  local how=()
  if starttls_on "$1"; then how=(-starttls smtp); fi
  [ -z "$NAME" ] || how+=(-servername "$NAME")
  bounded "$PATIENCE" openssl s_client -connect "$TARGET:$1" "${how[@]}" | openssl x509 2>/dev/null
}

judge_certificate() {
  local test="$1: certificate" pem=$2 said starts until now wrong="" note=""
  [ -n "$pem" ] || { report unknown "$test" "none was shown" && return; }
  # One line each, in this order.
  mapfile -t said < <(openssl x509 -noout -startdate -enddate -issuer -subject ${NAME:+-checkhost "$NAME"} <<<"$pem" 2>/dev/null)
  starts=${said[0]#*=} until=${said[1]#*=} now=$(date +%s)
  [ "$(seconds "$until")" -gt "$now" ] || wrong="expired on $until; "
  [ "$(seconds "$starts")" -le "$now" ] || wrong="${wrong}not valid before $starts; "
  if [ -z "$NAME" ]; then
    note="; it was not asked whom it names"
  elif [[ ${said[4]:-} == *'does NOT match'* ]]; then
    wrong="${wrong}names $(openssl x509 -noout -ext subjectAltName <<<"$pem" 2>/dev/null | tail -n 1 | tr -d ' ') and not $NAME; "
  fi
  if [ "${said[2]#*=}" = "${said[3]#*=}" ]; then note="$note; self-signed"; fi
  judge_none "$test" "${wrong%; }" "valid until $until${NAME:+, names $NAME}$note"
}

seconds() {
  date -d "$1" +%s 2>/dev/null || echo 0
}

# --- SMTP smuggling

# A mail ends with CR LF . CR LF and with nothing else (RFC 5321, 4.1.1.4): a server that answers to anything else took it
# for the end, and would read the rest of the mail as commands. Nothing is delivered, because each mail server refuses a mail
# that has passed so far (RFC 5321, 6.3), and because the right end is never sent.
smuggle() {
  local end
  talk "$1" 25 "EHLO $2" "MAIL FROM:<>" "RCPT TO:<postmaster>" DATA || return 1
  [[ $REPLY_LINE == 354* ]] || return 0
  for _ in {1..200}; do printf 'Received: by example.com; Thu, 1 Jan 2026 00:00:00 +0000\r\n'; done >&3
  printf 'Subject: security test\r\n\r\nIt is never delivered.\r\n' >&3
  for end in '\n.\n' '\n.\r\n' '\r.\r' '\r\n.\r' '\r\n.\n' '\r\n\0.\r\n' '\r\n.\0\r\n'; do
    printf '> END %s\n' "$end"
    # shellcheck disable=SC2059 # the escapes are meant
    printf "x$end" >&3 || return 1
    if reply "$END_PATIENCE"; then
      echo "> NOOP"
      printf 'NOOP\r\n' >&3
      reply "$PATIENCE"
      return
    fi
  done
  # It said nothing because it read on, if it hangs up once nothing is left to read.
  perl -e '
    alarm shift;
    open my $socket, "+<&=", 3 or exit 1;
    shutdown $socket, 1;
    my $got;
    do { $got = sysread $socket, my $said, 4096 } while $got;
    print "> DONE\n" if defined $got;
  ' "$PATIENCE"
}
export -f smuggle

test_smuggling() {
  local seen=$1 test="25: no SMTP smuggling" answer ended
  answer=$(reply_to DATA <<<"$seen")
  if [[ $answer != 354* ]]; then
    answer=$(reply_to "RCPT TO:<postmaster>" <<<"$seen")
    report unknown "$test" "a mail to postmaster was not taken: ${answer:-no answer}" && return
  fi
  ended=$(sed -n 's/^> END //p' <<<"$seen" | tail -n 1)
  answer=$(reply_to "END $ended" <<<"$seen")
  if [ -n "$(reply_to NOOP <<<"$seen")" ]; then
    report WRONG "$test" "a mail ends with $ended: $answer"
  elif [[ $answer == 5* ]]; then
    report ok "$test" "$answer"
  elif grep -q '^> DONE$' <<<"$seen"; then
    report ok "$test" "no other end than CR LF . CR LF was taken"
  else
    report unknown "$test" "it stopped answering at $ended${answer:+: $answer}"
  fi
}

main "$@"
