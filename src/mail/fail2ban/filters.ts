import { type RenderedFile, rendered } from "../configuration/site.ts";
import { REFUSED_AS_SPAM } from "../logs/content-filter-log.ts";
import { PATH } from "../logs/patterns.ts";

/** The web's log line for a wrong password at the dashboard; the address follows. */
export const DASHBOARD_REFUSED = "A sign-in to the dashboard was refused.";

/**
 * Filters of ours, jail.conf(5). Each pattern is anchored where Postfix itself writes the client's address, before
 * anything that the client chose: `[^[]*` is the client's verified host name, which has no bracket.
 */
export function renderFail2banFilters(): readonly RenderedFile[] {
  return [
    rendered("filter.d/postfix-rbl.conf", POSTFIX_RBL),
    rendered("filter.d/postfix-spam.conf", POSTFIX_SPAM),
    rendered("filter.d/ghostinbox-smtp-abuse.conf", SMTP_ABUSE),
    rendered("filter.d/ghostinbox-dashboard.conf", DASHBOARD),
  ];
}

/** A bounce to an unknown recipient: from an honest server that got spam in our domain's name. Follows "reject: ". */
export const BOUNCED = `RCPT from [^[]*\\[[^]]*\\](?::\\d+)?: 550 5\\.1\\.1 ${PATH}: Recipient address rejected: User unknown; from=<> to=<`;
/** The refusal of an address on a block list, after the client's port. */
export const LISTED =
  ": [45]54 [45]\\.7\\.1 (?:<[^>]*>: Recipient address rejected: )?Service unavailable; Client host \\[\\S+\\] blocked\\b";

/** The stock filter's mode rbl, whose pattern does not know how Postfix starts the refusal of a policy server. */
const POSTFIX_RBL = `[INCLUDES]
before = postfix.conf

[Definition]
mode = rbl
mdre-rbl = ^%(_pref)s from [^[]*\\[<HOST>\\]%(_port)s${LISTED}
`;

const PREFIX = `[INCLUDES]
before = common.conf

[Definition]
_daemon = postfix(?:-\\w+)?/\\w+(?:/smtp[ds])?
`;

const POSTFIX_SPAM = `${PREFIX}failregex = ^%(__prefix_line)s\\w+: milter-reject: END-OF-MESSAGE from [^[]*\\[<HOST>\\](?::\\d+)?: [45]\\.7\\.1 ${REFUSED_AS_SPAM};
`;

/** Permanent refusals of any kind, and behaviour that no mail server or mail program shows. */
const SMTP_ABUSE = `${PREFIX}failregex = ^%(__prefix_line)s\\w+: reject: [A-Z-]+ from [^[]*\\[<HOST>\\](?::\\d+)?: 5\\d\\d\\s
            ^%(__prefix_line)s(?:improper command pipelining|too many errors) after \\S+ from [^[]*\\[<HOST>\\](?::\\d+)?(?::|$)
            ^%(__prefix_line)slost connection after (?:AUTH|UNKNOWN) from [^[]*\\[<HOST>\\](?::\\d+)?$
            ^%(__prefix_line)s(?:warning: )?non-SMTP command from [^[]*\\[<HOST>\\](?::\\d+)?:
ignoreregex = ^%(__prefix_line)s\\w+: reject: ${BOUNCED}
`;

/** svlogd(8) -tt puts its own time before the line's time. */
const DASHBOARD = `[Definition]
datepattern = ^\\S+ %%Y-%%m-%%dT%%H:%%M:%%S\\.%%f%%z
failregex = ^ warn ${DASHBOARD_REFUSED.replaceAll(".", "\\.")} ip=<ADDR>$
`;
