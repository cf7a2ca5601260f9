import type { Layout } from "../../settings/layout.ts";
import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";
import { dkimKeys } from "./dkim-keys.ts";
import { renderRspamdRules } from "./rules.ts";

/** How long rspamd takes for a mail at the most; what is not known by then makes the mail come again. Seconds. */
export const RSPAMD_SECONDS = 15;

/** Of the headers that a mail has; another From: would break the signature (RFC 6376 sections 5.4.1 and 8.15). */
const SIGNED = [
  "(o)from",
  ..."sender reply-to subject date message-id to cc mime-version content-type content-transfer-encoding".split(" "),
  ..."resent-from resent-sender resent-date resent-to resent-cc resent-message-id in-reply-to references".split(" "),
  ..."list-id list-help list-unsubscribe list-unsubscribe-post list-subscribe list-post list-owner".split(" "),
];

/**
 * For rspamd(8) and rspamadm(1): directories that are Debian's by default. `$CONFDIR` stands for the given one in the
 * files below, so that a copy elsewhere can be checked.
 */
export function rspamdVariables({ rspamdData }: Layout, directory: string): readonly string[] {
  const own = ["CONFDIR", "LOCAL_CONFDIR"].map((name) => `--var=${name}=${directory}`);
  return [...own, ...["DBDIR", "RUNDIR", "LOGDIR"].map((name) => `--var=${name}=${rspamdData}`)];
}

/**
 * Rspamd for authenticity alone: of its modules only those named here are loaded, none scores, and it asks nothing but
 * the DNS. One process for both doors: mail of a user who signed in (the macro {auth_authen}) is signed, all other is
 * verified. Nothing is said of mail from loopback: it comes through a proxy that hides its clients. Nor is it signed.
 */
export function renderRspamd(site: Site): readonly RenderedFile[] {
  const file = (name: string, text: string): RenderedFile => ({ name, text, mode: 0o644 });
  return [
    file("rspamd.conf", configuration(site)),
    file("rules.lua", renderRspamdRules(site)),
    // Where links may end, for a search for them in texts, which are never searched here (rules.lua): with the list of
    // all public suffixes it costs 200 MB, and six seconds at the first start.
    file("suffixes", "com\n"),
    // Nor need it know languages.
    file("stop_words", "{}\n"),
  ];
}

function configuration(site: Site): string {
  const { layout, dns } = site;
  return `# ${RENDERED_BY}
lua = "$CONFDIR/rules.lua";
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
  task_timeout = ${RSPAMD_SECONDS}s;
  # Else whoever makes his own names slow to look up could forge every sender.
  soft_reject_on_timeout = true;
  # It is Postfix that says how large a mail may be.
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
  upstream "local" { default = yes; self_scan = yes; }
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
