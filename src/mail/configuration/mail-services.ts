import { join } from "node:path";
import { textOrNothing } from "../../host/machine/read-text.ts";
import { asUser, CHECKED, type MailServices, type ServiceName } from "../../host/running/runit.ts";
import { serviceExists } from "../../host/running/supervised.ts";
import type { Layout } from "../../settings/layout.ts";
import type { SinceStart } from "../../settings/program-settings.ts";
import { removesStaleLocks } from "../dovecot/maildirs.ts";
import { fail2banCommand } from "../fail2ban/fail2ban-conf.ts";
import { postgreyCommand } from "../postgrey/postgrey.ts";
import { rspamdService } from "../rspamd/rspamd-conf.ts";
import { spamServices } from "../spamassassin/spam-services.ts";

type OptionalServices = Readonly<{
  /** Mails that SpamAssassin scores at once; 0 if it does not run. */
  spam: number;
  fail2ban: boolean;
}>;

/** How the mail servers and the programs around them run. */
export function mailServices(layout: Layout, { spam, fail2ban }: OptionalServices): MailServices {
  return {
    unbound: { run: unboundCommands(layout) },
    postfix: { run: postfixCommands(layout) },
    dovecot: { run: dovecotCommands(layout) },
    rspamd: rspamdService(layout),
    postgrey: { run: [postgreyCommand(layout)] },
    ...(spam > 0 ? spamServices(layout, spam) : {}),
    ...(fail2ban ? { fail2ban: { run: fail2banCommand(layout) } } : {}),
  };
}

/** The settings with which the services were started. */
export function sinceStart({ services }: Pick<Layout, "services">): SinceStart {
  const exists = (service: ServiceName) => `${serviceExists(services, service)}`;
  return {
    "export.syslog.enabled": exists("export"),
    "fail2ban.enabled": exists("fail2ban"),
    "spam.enabled": exists("spamd"),
    "spam.processes": /--max-children=(\d+)/.exec(textOrNothing(join(services, "spamd", "run")))?.[1],
  };
}

/**
 * Debian's AppArmor profile allows Unbound to read only /etc/unbound, so it runs unconfined. A process that is already confined, as in most
 * containers, keeps its profile, because it may not leave it.
 */
function unboundCommands({ unboundConf }: Layout): readonly string[] {
  return [
    // In a privileged container AppArmor may be invisible, and setpriv(1) would refuse the option.
    `profile=$(test -e /sys/kernel/security/apparmor && grep -qx unconfined /proc/self/attr/current 2>/dev/null && echo --apparmor-profile=unconfined)`,
    `exec ${asUser("unbound", "net_bind_service")}$profile unbound -d -p -c ${unboundConf}`,
  ];
}

function postfixCommands({ postfixConf }: Layout): readonly string[] {
  return [
    `test -e ${CHECKED} && rm ${CHECKED} || postfix -c ${postfixConf} check || exit 1`,
    // master(8) kills its process group when it ends, so it gets its own.
    `exec chpst -P /usr/lib/postfix/sbin/master -c ${postfixConf} -s`,
  ];
}

function dovecotCommands(layout: Layout): readonly string[] {
  return [
    // A private key that is not on the disk may be lost: then mail arrives, but cannot be read.
    `test -r ${layout.mailKeyLink} || rm -f ${layout.mailKeyConf}`,
    // Limited to 20 seconds, because a slow disk must not delay all mailboxes for long. Dovecot itself waits two minutes for a lock.
    `timeout 20 ${removesStaleLocks(layout, "all").join(" ")} || :`,
    forgetsEnded(join(layout.dovecotBase, "master.pid")),
    // One open file for each client of a service (`default_client_limit`).
    `exec chpst -o 65536 dovecot -F -c ${layout.dovecotConf}`,
  ];
}

/**
 * Dovecot does not start while any process has the process id in its file. After a killed container or a power
 * failure, the file stays and process ids start again. Exported for its test.
 */
export function forgetsEnded(pidFile: string): string {
  return `grep -qx dovecot "/proc/$(cat ${pidFile} 2>/dev/null)/comm" 2>/dev/null || rm -f ${pidFile}`;
}
