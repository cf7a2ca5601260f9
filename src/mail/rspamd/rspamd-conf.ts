import { join } from "node:path";
import { SECOND_MS } from "../../core/time.ts";
import { asUserOnly, type ServiceCommands } from "../../host/running/runit.ts";
import { CONTENT_USERS, type Layout } from "../../settings/layout.ts";
import { type RenderedFile, rendered, type Site, verbatim } from "../configuration/site.ts";
import { renderRspamdRules } from "./rules.ts";

/** Maximum time that rspamd takes for a mail, in seconds. If something is not known by then, the mail must retry later. */
const RSPAMD_SECONDS = 15;

const HEARTBEAT_SECONDS = 1;
/** How often Rspamd's main process checks for a heartbeat (rspamd 3.4). */
export const CHECK_MS = 2 * HEARTBEAT_SECONDS * SECOND_MS;
/** The main process ends a process after this many checks without a heartbeat, and kills it two checks later. */
const MOST_LOST_HEARTBEATS = 6;
/** After this time a process that one mail blocked was killed (16 to 18 s), and Rspamd has started a new one (2 s). */
export const STALL_SECONDS = 20;

/**
 * Signed headers of a mail (RFC 6376 sections 5.4.1 and 8.15). `(o)`: any further such header breaks the signature, even the first; `(x)`:
 * only a second one does. Otherwise a recipient could add such a header and forward the mail.
 */
const SIGNED = [
  ..."from reply-to subject to cc".split(" ").map((name) => `(o)${name}`),
  ..."sender date message-id mime-version content-type content-transfer-encoding in-reply-to references"
    .split(" ")
    .map((name) => `(x)${name}`),
  ..."resent-from resent-sender resent-date resent-to resent-cc resent-message-id".split(" "),
  ..."list-id list-help list-unsubscribe list-unsubscribe-post list-subscribe list-post list-owner".split(" "),
];

/**
 * For rspamd(8) and rspamadm(1): directories that Debian sets by default. `$CONFDIR` stands for the given one in the
 * files below, so that a copy elsewhere can be checked.
 */
export function rspamdVariables({ rspamdData }: Layout, directory: string): readonly string[] {
  const own = ["CONFDIR", "LOCAL_CONFDIR"].map((name) => `--var=${name}=${directory}`);
  return [...own, ...["DBDIR", "RUNDIR", "LOGDIR"].map((name) => `--var=${name}=${rspamdData}`)];
}

/**
 * Rspamd's compiled files are removed first, because they may be incomplete if it was killed while writing them. Its group lets it read the
 * keys that sign mail, and files that the guard writes for it.
 */
export function rspamdService(layout: Layout): ServiceCommands {
  const user = asUserOnly(CONTENT_USERS.rspamd);
  const variables = rspamdVariables(layout, layout.rspamdConf).join(" ");
  return {
    run: [
      `${user}sh -c 'rm -f ${layout.rspamdData}/*.hsmp*'`,
      `exec ${user}rspamd -f ${variables} -c ${layout.rspamdConf}/rspamd.conf`,
    ],
    // Kills processes in the service directory, because rspamd's processes outlive a killed main process. Runs as rspamd's user, because
    // root of a container may not look into other users' processes (ptrace(2)).
    finish: [
      `exec ${user}sh -c '`,
      "for one in /proc/[0-9]*; do",
      `  if [ "$one" != "/proc/$$" ] && [ "$one/cwd" -ef . ]; then kill -9 "\${one#/proc/}"; fi`,
      "done'",
    ],
  };
}

/**
 * Rspamd for authenticity only: it loads only the modules named here, none of which scores, and asks only the DNS. One process serves both:
 * mail from a signed-in user (macro {auth_authen}) is signed, all other mail is verified. Mail from loopback without a user is neither,
 * because it comes through a proxy that hides its clients. Sieve's and root's own mail is given a user (`local-mail.ts`), so it is signed.
 */
export function renderRspamd(site: Site): readonly RenderedFile[] {
  return [
    rendered("rspamd.conf", configuration(site)),
    verbatim("rules.lua", renderRspamdRules(site)),
    // The list of top-level domains for finding links in texts, which is not done here (rules.lua). The full list of
    // public suffixes would cost 200 MB, and six seconds at the first start.
    verbatim("suffixes", "com\n"),
    // Language detection is not needed either.
    verbatim("stop_words", "{}\n"),
  ];
}

function configuration(site: Site): string {
  const { layout, dns } = site;
  return `lua = "$CONFDIR/rules.lua";
modules {
  path = "/usr/share/rspamd/plugins/spf.lua";
  path = "/usr/share/rspamd/plugins/dmarc.lua";
  path = "/usr/share/rspamd/plugins/dkim_signing.lua";
  path = "/usr/share/rspamd/plugins/milter_headers.lua";
}
options {
  filters = "dkim";
  local_addrs = ["127.0.0.0/8", "::1/128"];
  dns {
    nameserver = ["${dns.address}"];
    hosts = null;
    timeout = 2s;
    retransmits = 2;
    sockets = 4;
  }
  # No estimate foresees what a mail costs, so a process that a mail blocks is ended, and the mail is deferred.
  heartbeat_interval = ${HEARTBEAT_SECONDS}s;
  heartbeats_loss_max = ${MOST_LOST_HEARTBEATS};
  # Otherwise a sender whose names are slow to look up could forge every author.
  soft_reject_on_timeout = true;
  # Postfix limits the size of a mail.
  max_message = 2gb;
  url_tld = "$CONFDIR/suffixes";
  tempdir = "$DBDIR";
  hs_cache_dir = "$DBDIR/";
  disable_hyperscan = true;
}
lang_detection { languages = "$CONFDIR"; }
logging { type = "console"; level = "warning"; color = false; systemd = true; }
worker "rspamd_proxy" {
  bind_socket = "${layout.rspamdSocket} mode=0660";
  milter = yes;
  # Set here, because task_timeout does not apply to mail that the proxy scans itself.
  upstream "local" { default = yes; self_scan = yes; timeout = ${RSPAMD_SECONDS}s; }
  count = 1;
}
# No score refuses a mail.
actions { reject = null; }
group "policies" {}
spf {}
dmarc {}
dkim { sign_headers = "${SIGNED.join(":")}"; }
milter_headers { use = ["authentication-results"]; remove_upstream_spam_flag = false; }
dkim_signing {
  sign_authenticated = true;
  sign_local = false;
  use_domain = "header";
  use_esld = false;
  try_fallback = false;
  allow_username_mismatch = true;
  allow_hdrfrom_mismatch = true;
  allow_hdrfrom_multiple = true;
  domain {
${dkimKeys(site)
  .map(({ domain, selector, file }) => `    "${domain}" { selector = "${selector}"; path = "${file}"; }`)
  .join("\n")}
  }
}
`;
}

/** RSA only: few servers verify Ed25519 (RFC 8463), so it could only be a second signature. */
export function dkimKeys(site: Pick<Site, "layout" | "domains" | "dkimSelector">) {
  const { layout, domains, dkimSelector: selector } = site;
  return domains.map((domain) => ({ domain, selector, file: join(layout.dkimKeys, `${domain}.${selector}.pem`) }));
}
