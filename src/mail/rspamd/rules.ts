import { RENDERED_BY, type Site } from "../configuration/site.ts";
import { AUTHOR_UNCLEAR, NOT_SENT_FOR } from "../logs/content-filter-log.ts";
import { OWN_MAIL_USER, SIEVE_MAIL_USER } from "../postfix/local-mail.ts";
import { AUTHORS_LUA, SENDERS_LUA } from "./authors.ts";
import { DMARC_LUA, ORGANIZATION_LUA } from "./dmarc.ts";
import { VERIFIED_HEADERS_LUA } from "./verified-headers.ts";

/** The header by which Rspamd makes the Sieve script file a mail in Junk, with the reason for the reader. */
export const JUNK_HEADER = "X-GhostInbox-Junk";

/** Lua for rspamd (rspamd.com/doc/lua): who may be a mail's author, and what happens to other mail. */
export function renderRspamdRules({ layout, domains, hostname }: Site): string {
  const own = [...new Set([...domains, hostname.toLowerCase()])].map((domain) => `["${domain}"] = true`).join(", ");
  return [
    `-- ${RENDERED_BY}`,
    `local PROOF_WORD = "${layout.proofWord}"`,
    `local AUTHOR_LISTS = "${layout.authorLists}"`,
    `local OWN_DOMAINS = { ${own} }`,
    // What each defines for RULES:
    ORGANIZATION_LUA, // nothing; DMARC_LUA uses `organization`
    AUTHORS_LUA, // fields, mailboxes, names_nobody
    SENDERS_LUA, // guard_list, wrong_author
    DMARC_LUA, // MOST_DOMAINS, is_verified_here, ask_policies, verdict_on, is_trusted
    VERIFIED_HEADERS_LUA, // add_verified_headers
    RULES,
  ].join("\n");
}

const RULES = String.raw`
-- The content is not scanned here: SpamAssassin does that. Otherwise rspamd would refuse the test text for filters
-- (GTUBE), whoever sent it.
rspamd_config:register_symbol{
  name = "GHOSTINBOX_NO_CONTENT_SCAN",
  type = "connfilter",
  callback = function(task) task:set_flag("skip_process", true) end,
}

-- Whether a domain is this server's, or below one that is.
local function is_own(domain)
  local rest = domain
  while rest do
    if OWN_DOMAINS[rest] then return true end
    rest = rest:match("^[^.]*%.(.+)$")
  end
  return false
end

local function refuse(task, reply)
  task:set_pre_result("reject", reply, "ghostinbox")
end

local function later(task, reply)
  task:set_pre_result("soft reject", reply, "ghostinbox")
end

local function submitted(task, account)
  local senders = guard_list("senders")
  if not senders then return later(task, "The list of accounts cannot be read now, try again later") end
  local header = tostring(task:get_raw_headers())
  local wrong = wrong_author(senders, account, header)
  -- Rspamd's own reading of the field decides which domain signs.
  local read = (task:get_from("mime") or {})[1]
  local meant = not wrong and mailboxes(fields(header, { "from" }).from[1])[1]
  if meant and (not read or not read.domain or read.domain:lower() ~= meant.domain) then
    wrong = "From: must name its author as in: Name <user@example.org>"
  end
  if wrong then refuse(task, "${NOT_SENT_FOR}" .. account .. ": " .. wrong) end
end

-- Of the mail that Sieve scripts send, only replies are signed. A redirected mail is someone else's, whatever its From: says;
-- Pigeonhole adds a header to it.
local function sent_by_sieve(task)
  local sender = (task:get_from("smtp") or {})[1]
  local is_reply = (not sender or (sender.addr or "") == "")
    and (task:get_header("Auto-Submitted") or ""):find("^auto%-replied") ~= nil
  if not is_reply or task:get_header("X-Sieve-Redirected-From") then task:disable_symbol("DKIM_SIGNED") end
end

local function received(task)
  local found = fields(tostring(task:get_raw_headers()), { "from" }).from
  local named = #found == 1 and mailboxes(found[1])
  -- Reports need no author, because a refused report on our own mail is lost.
  local sender = (task:get_from("smtp") or {})[1]
  if not named and #found <= 1 and names_nobody(found[1] or "") and (not sender or (sender.addr or "") == "") then
    task:cache_set("ghostinbox_nobody", true)
    named = {}
  end
  if not named then return refuse(task, "${AUTHOR_UNCLEAR} once, as in From: Name <user@example.org>") end
  local domains, seen = {}, {}
  for _, one in ipairs(named) do
    if not seen[one.domain] then domains[#domains + 1] = one.domain end
    seen[one.domain] = true
  end
  if #domains > MOST_DOMAINS then return refuse(task, "${AUTHOR_UNCLEAR}s, in at most " .. MOST_DOMAINS .. " domains") end
  task:cache_set("ghostinbox_authors", domains)
end

rspamd_config:register_symbol{
  name = "GHOSTINBOX_AUTHORS",
  type = "prefilter",
  callback = function(task)
    local user = task:get_user()
    if user == "${SIEVE_MAIL_USER}" then sent_by_sieve(task)
    elseif user == nil then received(task)
    elseif user ~= "${OWN_MAIL_USER}" then submitted(task, user:lower()) end
    task:cache_set("ghostinbox_checked", true)
  end,
}

rspamd_config:register_symbol{
  name = "GHOSTINBOX_POLICIES",
  type = "normal",
  callback = function(task)
    if is_verified_here(task) then ask_policies(task, task:cache_get("ghostinbox_authors") or {}) end
  end,
}

local function judge(task)
  if not is_verified_here(task) then return end
  local trusted, waits, junk = nil, false, nil
  for _, domain in ipairs(task:cache_get("ghostinbox_authors") or {}) do
    local own = is_own(domain)
    local verdict = verdict_on(task, domain, own)
    if (own or verdict ~= "none") and verdict ~= "pass" and trusted == nil then
      trusted = is_trusted(task, guard_list("clients"))
    end
    if trusted then verdict = "pass" end
    if verdict == "reject" then return refuse(task, "rejected by DMARC policy for " .. domain) end
    if verdict == "later" then waits = true end
    if verdict == "quarantine" or own and verdict ~= "pass" then junk = junk or domain end
  end
  if waits then return later(task, "The sender cannot be verified now, try again later") end
  local headers = {}
  local why = junk and "unproven author at " .. junk or task:cache_get("ghostinbox_nobody") and "no author"
  if why then headers["${JUNK_HEADER}"] = { value = why, order = 0 } end
  add_verified_headers(task, headers)
  if next(headers) then task:set_milter_reply({ add_headers = headers }) end
end

rspamd_config:register_symbol{
  name = "GHOSTINBOX_VERDICT",
  type = "postfilter",
  callback = function(task)
    -- Rspamd accepts a mail for which a rule failed, for example for lack of memory.
    local is_judged = task:cache_get("ghostinbox_checked") and pcall(judge, task)
    if not is_judged then later(task, "The author cannot be checked now, try again later") end
  end,
}
`;
