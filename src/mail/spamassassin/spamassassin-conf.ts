import { join } from "node:path";
import type { Layout } from "../../settings/layout.ts";
import { OWN_RULES, type RenderedFile, rendered, renderedScript, type Site, verbatim } from "../configuration/site.ts";
import { FIRST_CONTACT_MARK_HEADER } from "../postfix/policy-protocol.ts";
import { JUNK_HEADER } from "../rspamd/rules.ts";
import { PROOF_HEADER, VERIFIED_HEADER } from "../rspamd/verified-headers.ts";

/**
 * The site configuration of SpamAssassin (Mail::SpamAssassin::Conf(3)), in place of /etc/spamassassin: `local.cf`, the
 * plugins, and the owner's rules, which are read last and override the others.
 */
export function renderSpamAssassin(site: Site): readonly RenderedFile[] {
  // Always written, so that removed rules disappear. Nothing is checked while it is off; enabling it changes a file, so a check follows.
  const own = site.spam.enabled || site.spam.runs ? site.spam.ownRules : "# The spam filter is off.\n";
  return [
    rendered("plugins.pre", pluginsPre(site)),
    rendered("local.cf", localCf(site)),
    verbatim(OWN_RULES, own),
    renderUpdateRules(site),
  ];
}

/** `5` as `5.0`, the usual way to write a score. SpamAssassin refuses an exponent, as in `1e-7`. */
function score(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(Number(value.toFixed(6)));
}

/** Usual mails take 0.1 s; twice this is less than spamc's timeout (spam-services.ts). */
const SCORING_SECONDS = 7;

/** The start of the subject of a mail that counts as spam. */
export const SPAM_TAG = "[SPAM]";

function localCf({ layout, dns, spam }: Site): string {
  return [
    `required_score ${score(spam.requiredScore)}`,
    "report_safe 0",
    `rewrite_header Subject ${SPAM_TAG}`,
    "",
    // These trust a mail's own claims about its sender; see docs/spam.md.
    ...spam.allowFrom.map((pattern) => `whitelist_from ${pattern}`),
    "",
    // The guard adds it while there are unusually many first contacts.
    `header GHOSTINBOX_CROWD exists:${FIRST_CONTACT_MARK_HEADER}`,
    "describe GHOSTINBOX_CROWD A first contact, one of unusually many",
    `score GHOSTINBOX_CROWD ${score(spam.crowdScore)}`,
    "",
    `dns_server ${dns.address}`,
    // Seconds that a mail waits for block lists: at most 5, shrinking to 1 as answers arrive (Mail::SpamAssassin::Conf(3)).
    "rbl_timeout 5 1",
    // Seconds; then the score so far counts: see security/spam-head.py.
    `time_limit ${SCORING_SECONDS}`,
    // A header that a stranger wrote proves nothing.
    "ignore_received_spf_header 1",
    `bayes_path ${join(layout.spamState, "bayes")}`,
    `per_user_bayes ${layout.learnedByUsers}`,
    // Headers that this server added say nothing about the mail.
    ...OWN_HEADERS.map((header) => `bayes_ignore_header ${header}`),
    // Only our own hop is trusted: other hops' headers could be forged by the sender.
    "clear_trusted_networks",
    "clear_internal_networks",
    "trusted_networks 127.0.0.0/8 ::1",
    "internal_networks 127.0.0.0/8 ::1",
    "",
  ].join("\n");
}

/** Debian's selection, without plugins that need programs or services we don't have (Razor, Pyzor, reporting to SpamCop). */
const PLUGINS: readonly string[] = [
  ..."URIDNSBL SPF DKIM Check AutoLearnThreshold WelcomeListSubject MIMEHeader ReplaceTags HTTPSMismatch".split(" "),
  ..."URIDetail Bayes BodyEval DNSEval HTMLEval HeaderEval MIMEEval RelayEval URIEval WLBLEval VBounce".split(" "),
  ..."ImageInfo FreeMail AskDNS HashBL".split(" "),
];

const OWN_HEADERS = ["Authentication-Results", JUNK_HEADER, VERIFIED_HEADER, PROOF_HEADER, FIRST_CONTACT_MARK_HEADER];

function pluginsPre({ layout }: Site): string {
  // First, because it acts before Bayes does.
  const own = `loadplugin GhostInbox::PerUserBayes ${layout.perUserBayes}`;
  const lines = [own, ...PLUGINS.map((plugin) => `loadplugin Mail::SpamAssassin::Plugin::${plugin}`)];
  return `${lines.join("\n")}\n`;
}

/** The rules of Debian's package, until others are fetched. */
export const PACKAGED_RULES = "/usr/share/spamassassin";

/** The directory of the fetched rules in use. */
export function fetchedRules({ spamRules }: Layout): string {
  return `${spamRules}/current/`;
}

/** Exit codes of the program below, in addition to 1 for a failure: new rules are in use; the rules in use are the newest. */
export const UPDATED = 0;
export const NOTHING_NEW = 10;

/** The path of the rendered program. */
export const UPDATE_RULES = "update-rules";

/**
 * Fetches rules as spamd's user, by sa-update(1p), which accepts only rules signed by a trusted key. They take effect
 * once SpamAssassin reads them together with our configuration without errors; until then the old ones stay.
 * sa-update runs with Perl's taint check, so only /etc/resolv.conf determines its resolver.
 * The last line that it prints is the version in use, or what failed.
 */
export function renderUpdateRules({ layout, spam: { updates } }: Site): RenderedFile {
  const { spamRules: rules, spamState, spamAssassinConf } = layout;
  const fetched = `${rules}/fetched/${updates.channel}`;
  const text = `set -u
umask 077
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=${spamState}
cd ${spamState} && mkdir -p ${fetched} ${rules}/keys && chmod 700 ${rules}/keys || exit 1
fails() { echo "$1" | tail -n 1; exit 1; }
# sa-update imports SpamAssassin's own key only into an empty keyring, and trusts a subkey only by its own fingerprint.
keys=''
for file in ${PACKAGED_RULES}/sa-update-pubkey.txt ${updates.keyFile && `'${updates.keyFile}'`}; do
  said=$(sa-update --gpghomedir ${rules}/keys --import "$file" 2>&1) || fails "$said"
  keys="$keys $(gpg --homedir ${rules}/keys --with-colons --show-keys "$file" 2>/dev/null | sed -n 's/^fpr:*\\([0-9A-F]*\\):.*/--gpgkey \\1/p')"
done
said=$(sa-update --channel ${updates.channel} --updatedir ${fetched} --gpghomedir ${rules}/keys $keys 2>&1)
status=$?
# 0: there is a new version; 1: there is none (sa-update(1p), EXIT CODES).
[ $status -le 1 ] || fails "sa-update ended with $status: $said"
[ -n "$(ls -A ${fetched})" ] || fails "the channel ${updates.channel} has no rules"
version=$(sed -n 's/^# UPDATE version //p' ${fetched}/*.cf | head -n 1)
if diff -rq ${fetched} ${rules}/current/ >/dev/null 2>&1; then echo "$version"; exit ${NOTHING_NEW}; fi
said=$(spamassassin --lint --local --configpath=${fetched} --siteconfigpath=${spamAssassinConf} --prefspath=/dev/null 2>&1) || fails "the new rules have errors: $said"
next=${rules}/set-$(date +%s)-$$
cp -R ${fetched} "$next" && ln -sfn "$next" ${rules}/next && mv -T ${rules}/next ${rules}/current || fails "the new rules could not be stored"
for old in ${rules}/set-*; do [ "$old" = "$next" ] || rm -rf "$old"; done
echo "$version"
exit ${UPDATED}
`;
  return renderedScript(UPDATE_RULES, text);
}
