import { dirname } from "node:path";
import type { Layout } from "../../settings/layout.ts";
import type { ServiceName } from "./runit.ts";

export type Confined = Readonly<{
  /** Capabilities without CAP_. */
  capabilities: readonly string[];
  /** Address families without AF_. */
  families: readonly string[];
  /** System calls in addition to those of every service. */
  calls?: string;
  /** Where it writes, in addition to its service and log directories. "everything": wherever the server writes. */
  writes: "everything" | ((layout: Layout) => readonly string[]);
  /** For services whose settings may name a file in a home. Other services see no homes. */
  home?: "read-only";
  /** Whether it starts programs that gain rights, such as postdrop(1). */
  gainsRights?: true;
  /** Whether it must see other users' processes. */
  seesOthers?: true;
}>;

/**
 * What systemd allows a service (systemd.exec(5)). The service itself drops further rights, as it does without systemd. `all` lifts the
 * other restrictions too, for the program that administers the others. `says`: a short description.
 */
type Sandbox = Readonly<{ says: string }> & (Confined | Readonly<{ capabilities: "all" }>);

/** For runsv(8), which starts as root and must end its service, and for the service, which switches its user and drops its rights. */
const BECOMES_ITS_USER = ["KILL", "SETGID", "SETPCAP", "SETUID"];
const ALL_FILES = ["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER"];
const IP = ["UNIX", "INET", "INET6"];

/** For the mail servers, which start as root and run processes of several users. */
const MAIL_SERVER = {
  capabilities: [...ALL_FILES, "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT"],
  families: [...IP, "NETLINK"],
  calls: "chroot",
  writes: "everything",
  home: "read-only",
  gainsRights: true,
} as const;

export const SANDBOXES: Readonly<Record<ServiceName, Sandbox>> = {
  guard: {
    says: "the guard, which decides and keeps the databases",
    capabilities: [...BECOMES_ITS_USER, "NET_ADMIN"],
    families: [...IP, "NETLINK"],
    // It tests whether the disk accepts writes. File permissions protect what it must not read or write.
    writes: "everything",
  },
  web: {
    says: "the dashboard and the HTTP API",
    capabilities: [...BECOMES_ITS_USER, "NET_BIND_SERVICE"],
    families: IP,
    writes: () => [],
  },
  export: {
    says: "sends events to another machine",
    capabilities: BECOMES_ITS_USER,
    families: IP,
    writes: ({ exportData }) => [exportData],
    home: "read-only",
  },
  keeper: { says: "the keeper, which renders the configuration and watches the services", capabilities: "all" },
  postfix: { says: "Postfix", ...MAIL_SERVER },
  dovecot: { says: "Dovecot", ...MAIL_SERVER, capabilities: [...MAIL_SERVER.capabilities, "SYS_RESOURCE"] },
  unbound: {
    says: "Unbound, the resolver",
    capabilities: [...BECOMES_ITS_USER, "NET_BIND_SERVICE"],
    families: [...IP, "NETLINK"],
    writes: () => [],
    home: "read-only",
  },
  spamd: {
    says: "SpamAssassin",
    capabilities: BECOMES_ITS_USER,
    families: [...IP, "NETLINK"],
    writes: ({ spamState, spamdSocket }) => [spamState, dirname(spamdSocket)],
  },
  "spam-head": {
    says: "shows SpamAssassin the start of a long mail",
    capabilities: BECOMES_ITS_USER,
    families: ["UNIX"],
    writes: ({ spamdSocket }) => [dirname(spamdSocket)],
  },
  "spamass-milter": {
    says: "lets Postfix ask SpamAssassin",
    capabilities: BECOMES_ITS_USER,
    families: ["UNIX"],
    writes: ({ spamMilterSocket }) => [dirname(spamMilterSocket)],
  },
  rspamd: {
    says: "Rspamd, which signs mail and verifies senders",
    // The cleanup of its leftovers lists processes of its user.
    capabilities: [...BECOMES_ITS_USER, "SYS_PTRACE"],
    families: [...IP, "NETLINK"],
    writes: ({ rspamdData, rspamdSocket }) => [rspamdData, dirname(rspamdSocket)],
    seesOthers: true,
  },
  postgrey: {
    says: "Postgrey, which defers the first mail from strangers",
    capabilities: BECOMES_ITS_USER,
    families: IP,
    writes: ({ postgreyData, greylistSocket }) => [postgreyData, dirname(greylistSocket)],
  },
  fail2ban: {
    says: "Fail2ban, which reads the logs",
    capabilities: BECOMES_ITS_USER,
    families: [...IP, "NETLINK"],
    writes: ({ fail2banSpool, fail2banDb, fail2banSocket }) => [
      fail2banSpool,
      dirname(fail2banDb),
      dirname(fail2banSocket),
    ],
    home: "read-only",
  },
};
