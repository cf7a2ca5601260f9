import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";

/**
 * The header with which Rspamd tells Postfix what it has verified: `spf` or `dkim`, without text from a stranger. It
 * counts only if a milter adds it (postconf(5), milter_header_checks).
 */
export const VERIFIED_HEADER = "X-GhostInbox-Verified";

/**
 * The header that proves by its secret value that SPF proved the sender of the mail that contains it. Only reports on
 * undelivered mail are searched for it (`bounces.ts`), and no mail leaves the queue with it. The value is in mail.log,
 * which no user can read.
 */
const PROOF_HEADER = "X-GhostInbox-Proof";

const FILE = "proof-removal";

/** regexp_table(5): the header, in a mail or in one that it encloses. */
export function proofPattern({ proofWord }: Site): string {
  return `/^${PROOF_HEADER}:[[:space:]]*${proofWord}[[:space:]]*$/`;
}

/** Parameters of main.cf: delivery agents remove it from mail, and from reports that enclose one. */
export function withoutProofs(): Readonly<Record<string, string>> {
  const checks = ["header_checks", "nested_header_checks", "body_checks"];
  const names = ["smtp", "lmtp"].flatMap((agent) => checks.map((check) => `${agent}_${check}`));
  return Object.fromEntries(names.map((name) => [name, `regexp:$config_directory/${FILE}`]));
}

export function renderProofRemoval(site: Site): RenderedFile {
  return { name: FILE, text: `# ${RENDERED_BY}\n${proofPattern(site)} IGNORE\n`, mode: 0o600 };
}

/** Lua: the headers that say what is verified about a mail. */
export const PROOFS_LUA = String.raw`
-- What strangers cannot know; nil where it cannot be read, and nothing is proven then.
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
  local word = spf and proof_word()
  if word then headers["${PROOF_HEADER}"] = { value = word, order = 0 } end
end
`;
