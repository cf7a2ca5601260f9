/**
 * The header with which Rspamd says what it has verified: `spf` or `dkim`, without text from a stranger. Postfix reads it only if a
 * milter adds it (postconf(5), milter_header_checks). Scripts of replies read it in the stored mail too, from which
 * `FORGED_HEADERS` (postfix/milters.ts) has removed a stranger's.
 */
export const VERIFIED_HEADER = "X-GhostInbox-Verified";

/**
 * The header that proves by its secret value that SPF proved the sender of the mail that contains it. Only reports on
 * undelivered mail are searched for it, and no mail leaves the queue with it. The value is in mail.log,
 * which no user can read.
 */
export const PROOF_HEADER = "X-GhostInbox-Proof";

/** Lua: the headers that say what is verified about a mail. */
export const VERIFIED_HEADERS_LUA = String.raw`
-- A secret that strangers cannot know; nil if it cannot be read, and then nothing is proven.
local function proof_word()
  local file = io.open(PROOF_WORD, "r")
  if not file then return nil end
  local word = file:read("*l")
  file:close()
  return word and word:match("^%x+$")
end

local function add_verified_headers(task, headers)
  local sender = (task:get_from("smtp") or {})[1]
  -- If Rspamd can't read the sender, or there is none, SPF has proven the name in EHLO.
  local spf = sender and (sender.addr or "") ~= "" and task:has_symbol("R_SPF_ALLOW")
  if spf or task:has_symbol("R_DKIM_ALLOW") then
    headers["${VERIFIED_HEADER}"] = { value = spf and "spf" or "dkim", order = 0 }
  end
  -- A report to this server's own users needs no proof. With one, it would leave the server.
  local is_ours = sender and OWN_DOMAINS[(sender.domain or ""):lower()]
  local word = spf and not is_ours and proof_word()
  if word then headers["${PROOF_HEADER}"] = { value = word, order = 0 } end
end
`;
