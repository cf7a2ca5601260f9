import { JAIL_OF_WEB, type Jail, type JailName } from "../../core/decide/jails.ts";
import { CHECK_ADDRESS, PROBE_ADDRESS } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { type RenderedFile, rendered, type Site, verbatim } from "../configuration/site.ts";
import { BOUNCED, LISTED, renderFail2banFilters } from "./filters.ts";
import { MOST_LINES } from "./jail-report.ts";

/** Fail2ban may read logs and write reports, and nothing else. */
export function fail2banCommand(layout: Layout): readonly string[] {
  const { fail2banConf, fail2banSocket, fail2banPid } = layout;
  const user =
    `setpriv --reuid ${USERS.fail2ban} --regid ${USERS.fail2ban} --groups ${USERS.logsGroup} ` +
    "--inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs";
  return [
    "umask 027",
    `exec ${user} fail2ban-server -f -x -c ${fail2banConf} -s ${fail2banSocket} -p ${fail2banPid} start`,
  ];
}

/** Everything is below its own configuration directory; nothing of /etc/fail2ban is used. */
export function renderFail2ban({ layout, fail2ban }: Pick<Site, "layout" | "fail2ban">): readonly RenderedFile[] {
  const copies = [...fail2ban.stock, ...fail2ban.own].map(({ name, text }) => verbatim(`filter.d/${name}.conf`, text));
  return [
    rendered("fail2ban.conf", server(layout)),
    rendered("jail.conf", [defaults(layout), ...jails(layout, fail2ban)].join("\n")),
    rendered("action.d/ghostinbox.py", FAIL2BAN_ACTION),
    ...copies,
    ...renderFail2banFilters(),
  ];
}

function server({ fail2banSocket, fail2banPid, fail2banDb }: Layout): string {
  return `[DEFAULT]
loglevel = INFO
logtarget = STDERR
syslogsocket = auto
socket = ${fail2banSocket}
pidfile = ${fail2banPid}
# How far it has read the logs, for the next start.
dbfile = ${fail2banDb}
dbpurgeage = 1d
dbmaxmatches = ${MOST_LINES}
allowipv6 = yes
[Definition]
[Thread]
`;
}

/** The guard knows which addresses must not be banned, and records each one it spares; checks here would only add noise. */
function defaults(layout: Layout): string {
  return `[DEFAULT]
enabled = true
backend = polling
usedns = no
ignoreself = false
ignoreip = ${PROBE_ADDRESS} ${CHECK_ADDRESS}
ignorecommand =
bantime.increment = false
logencoding = utf-8
logpath = ${layout.mailLog}
action = ghostinbox.py[spool="${layout.fail2banSpool}"]
`;
}

type Source = Readonly<{ filter?: string; port?: string; more?: readonly string[] }>;

/** Minimum lines in a report. */
const USUAL_LINES = 16;

const MAIL_PORTS = "smtp,465,submission";

/** As in jail.conf(5). By default the ports are those for mail, and the filter has the jail's name. The guard's bans apply to all ports. */
const SOURCES: Readonly<Record<JailName, Source>> = {
  // A bounce is not probing, and lines of postfix-rbl are not counted twice. The stock filter has removed the text before.
  postfix: {
    more: [`ignoreregex = ^${BOUNCED}`, `              ^RCPT from [^[]*\\[[^]]*\\](?::\\d+)?${LISTED}`],
  },
  dovecot: { port: "pop3,pop3s,imap,imaps,submission,465,sieve" },
  "postfix-auth": { filter: "postfix[mode=auth]" },
  "postfix-rbl": {},
  "postfix-spam": {},
  "ghostinbox-smtp-abuse": {},
  "ghostinbox-dashboard": { port: "http,https,3000" },
};

function jails(layout: Layout, { jails: stock, own, ownJail }: Site["fail2ban"]): readonly string[] {
  return [
    ...stock.map((jail) => {
      const { more = [], ...source } = SOURCES[jail.name];
      const log = jail.name === JAIL_OF_WEB ? [`logpath = ${layout.webLog}`] : [];
      return section(jail, { ...source, more: [...(jail.enabled ? [] : ["enabled = false"]), ...more, ...log] });
    }),
    ...own.map(({ name }) => section({ ...ownJail, name })),
  ];
}

function section({ name, limit, windowMs, banMs }: Jail, source: Source = {}): string {
  const { filter = name, port = MAIL_PORTS, more = [] } = source;
  return [
    `[${name}]`,
    `filter = ${filter}`,
    `port = ${port}`,
    `maxretry = ${limit}`,
    `findtime = ${windowMs / SECOND_MS}`,
    `bantime = ${banMs / SECOND_MS}`,
    `maxmatches = ${Math.max(limit, USUAL_LINES)}`,
    ...more,
    "",
  ].join("\n");
}

/** Limits for reports. The guard checks each report itself. */
const MOST_REPORTS = 2_000;
const LONGEST_LINE = 700;

/**
 * Fail2ban's action (jail.conf(5), Python action files). It uses no shell, so no part of a log line can become a
 * command. It bans nothing: each report becomes a file, which is complete once it has its name. Fail2ban
 * forgets the address at once, because only the guard knows how long it is banned; later lines make a new report.
 */
const FAIL2BAN_ACTION = `import json
import os
import time

from fail2ban.server.action import ActionBase

_MOST_REPORTS = ${MOST_REPORTS}
_MOST_LINES = ${MOST_LINES}
_LONGEST_LINE = ${LONGEST_LINE}


class Report(ActionBase):
    """Reports each address that a jail found to GhostInbox's guard."""

    def __init__(self, jail, name, spool="", **_):
        super(Report, self).__init__(jail, name)
        self._spool = spool
        self._count = 0

    def ban(self, aInfo):
        try:
            if not aInfo["restored"]:
                self._report(aInfo)
        finally:
            self._jail.actions.banManager.getTicketByID(aInfo["fid"])

    def unban(self, aInfo):
        pass

    def _report(self, aInfo):
        if len(os.listdir(self._spool)) >= _MOST_REPORTS:
            self._logSys.error("Too many reports wait for the guard: the report about %s was dropped", aInfo["ip"])
            return
        lines = aInfo["matches"].splitlines()[-_MOST_LINES:]
        report = {
            "jail": self._jail.name,
            "ip": str(aInfo["ip"]),
            "failures": int(aInfo["failures"]),
            "limit": int(self._jail.filter.getMaxRetry()),
            "windowSeconds": int(self._jail.filter.getFindTime()),
            "banSeconds": int(self._jail.actions.getBanTime()),
            "lastAt": int(aInfo["time"]),
            "lines": [line[:_LONGEST_LINE] for line in lines],
        }
        self._count += 1
        name = "%020d-%s-%d" % (time.time_ns(), self._jail.name, self._count)
        unfinished = os.path.join(self._spool, ".%s" % name)
        try:
            with open(unfinished, "w", encoding="ascii") as file:
                # With Fail2ban's umask the guard could not read it.
                os.fchmod(file.fileno(), 0o640)
                json.dump(report, file)
                file.flush()
                os.fsync(file.fileno())
            os.rename(unfinished, os.path.join(self._spool, "%s.json" % name))
        except OSError:
            if os.path.exists(unfinished):
                os.unlink(unfinished)
            raise


Action = Report
`;
