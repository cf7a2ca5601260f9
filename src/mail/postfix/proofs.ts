import { type RenderedFile, rendered, type Site } from "../configuration/site.ts";

/**
 * The header with which Rspamd says what it has verified: `spf` or `dkim`, without text from a stranger. Postfix reads it only if a
 * milter adds it (postconf(5), milter_header_checks). Scripts of replies read it in the stored mail too, from which
 * `FORGED_HEADERS` (milters.ts) has removed a stranger's.
 */
export const VERIFIED_HEADER = "X-GhostInbox-Verified";

/**
 * The header that proves by its secret value that SPF proved the sender of the mail that contains it. Only reports on
 * undelivered mail are searched for it, and no mail leaves the queue with it. The value is in mail.log,
 * which no user can read.
 */
export const PROOF_HEADER = "X-GhostInbox-Proof";

const FILE = "proof-removal";

/** regexp_table(5): the header, in a mail or in one that it encloses. */
function proofPattern({ proofWord }: Site): string {
  return `/^${PROOF_HEADER}:[[:space:]]*${proofWord}[[:space:]]*$/`;
}

/** Parameters of main.cf: delivery agents remove it from mail, and from reports that enclose one. */
export function withoutProofs(): Readonly<Record<string, string>> {
  const checks = ["header_checks", "nested_header_checks", "body_checks"];
  const names = ["smtp", "lmtp"].flatMap((agent) => checks.map((check) => `${agent}_${check}`));
  return Object.fromEntries(names.map((name) => [name, `regexp:$config_directory/${FILE}`]));
}

export function renderProofRemoval(site: Site): RenderedFile {
  return rendered(FILE, `${proofPattern(site)} IGNORE\n`, 0o600);
}

/** Lua: the headers that say what is verified about a mail. */
export const PROOFS_LUA = String.raw`
-- A secret that strangers cannot know; nil if it cannot be read, and then nothing is proven.
local function proof_word()
  local file = io.open(PROOF_WORD, "r")
  if not file then return nil end
  local word = file:read("*l")
  file:close()
  return word and word:match("^%x+$")
end

local function add_proofs(task, headers)
  local spf = task:has_symbol("R_SPF_ALLOW")
  if spf or task:has_symbol("R_DKIM_ALLOW") then
    headers["${VERIFIED_HEADER}"] = { value = spf and "spf" or "dkim", order = 0 }
  end
  -- A report to this server's own users needs no proof, and would leave with one.
  local sender = (task:get_from("smtp") or {})[1]
  local is_ours = sender and OWN_DOMAINS[(sender.domain or ""):lower()]
  local word = spf and not is_ours and proof_word()
  if word then headers["${PROOF_HEADER}"] = { value = word, order = 0 } end
end
`;

/** The service of master.cf that sends mail with an empty envelope sender: reports, and replies while a user is away. */
export const REPORTS = "reports";

const RECIPIENTS = "bounce-recipients";
const PROOFS = "bounce-proofs";
const CLEANUP = "cleanup-bounce";

/** Why a delivery report to another server was not sent, for the log and the event. */
const WITHHELD = "the sender of the mail is not proven";

/**
 * The services of master.cf that report undeliverable mail (bounce(8)), including mail that an alias's target refuses.
 * A report to a forged sender is backscatter: it reaches someone who never wrote. So another server gets a report only
 * if SPF proved the sender when the mail arrived. All of these services use their own cleanup(8), whose header checks
 * decide.
 */
export const bounceServices: readonly string[] = [
  ...["bounce", "defer", "trace"].flatMap((name) => [
    `${name} unix - - n - 0 bounce`,
    `  -o cleanup_service_name=${CLEANUP}`,
    "  -o internal_mail_filter_classes=bounce",
  ]),
  `${CLEANUP} unix n - n - 0 cleanup`,
  `  -o header_checks=regexp:$config_directory/${RECIPIENTS}`,
  `  -o nested_header_checks=regexp:$config_directory/${PROOFS}`,
  `  -o body_checks=regexp:$config_directory/${PROOFS}`,
];

/**
 * regexp_table(5), header_checks(5). The last FILTER counts. Reports to our own users are sent; those to others are
 * discarded, unless the enclosed mail was proven. It is enclosed whole, or as its header in a text if it is long.
 */
export function renderBounceChecks(site: Site): readonly RenderedFile[] {
  const { domains, outbound } = site;
  const ours = domains.map(literal).join("|");
  return [
    rendered(RECIPIENTS, `/^To: .*@(${ours})>?$/ DUNNO\n/^To:/ FILTER discard:${WITHHELD}\n`),
    rendered(PROOFS, `${proofPattern(site)} FILTER ${REPORTS}:${outbound.relay?.nextHop ?? ""}\n`, 0o600),
  ];
}

export function literal(name: string): string {
  return name.replaceAll(".", "\\.");
}
