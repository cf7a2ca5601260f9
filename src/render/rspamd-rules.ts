import { RENDERED_BY } from "./site.ts";

/**
 * Lua for rspamd (rspamd.com/doc/lua): what DMARC's result means for the mail. Refused is what the policy says shall be
 * refused. A key or a record that cannot be looked up now says nothing of the mail, but to DMARC it would look forged,
 * and be refused for good: so it comes again (RFC 6376 section 6.1.2, RFC 7489 section 6.6.2).
 */
export const RSPAMD_RULES = `-- ${RENDERED_BY}
local rspamd_util = require "rspamd_util"

-- Public suffixes by https://publicsuffix.org/list; rspamd's own search needs far more memory for them.
local rules = {}
for line in io.lines("/usr/share/rspamd/effective_tld_names.dat") do
  local rule = line:match("^[^/%s]%S*")
  if rule then rules[rule] = true end
end

-- The organizational domain (RFC 7489 section 3.2), of a name in lower or upper case.
local function organization(name)
  local domain, rest = nil, name:lower():gsub("%.+$", "")
  while rest do
    local parent = rest:match("^[^.]*%.(.+)$")
    if rules["!" .. rest] then return rest end
    if rules[rest] or parent and rules["*." .. parent] then return domain or rest end
    -- Where no rule matches, the last label alone is the suffix.
    if not parent then return domain or rest end
    domain, rest = rest, parent
  end
end
rspamd_util.get_tld = organization

-- What a mail says is not looked at: that is SpamAssassin's. Else rspamd would refuse the text by which filters are
-- tried (GTUBE), without a look at who sent it.
rspamd_config:register_symbol{
  name = "GHOSTINBOX_ENVELOPE_ONLY",
  type = "connfilter",
  callback = function(task) task:set_flag("skip_process", true) end,
}

local function options_of(task, name)
  local found = task:get_symbol(name)
  return found and found[1].options or {}
end

-- Whether anything proves the author, as the least strict policy would have it.
local function is_proven(task, author)
  local wanted = organization(author)
  local sender = (task:get_from("smtp") or {})[1]
  local domain = sender and sender.domain
  if not domain or domain == "" then domain = task:get_helo() or "" end
  if task:has_symbol("R_SPF_ALLOW") and organization(domain) == wanted then return true end
  for _, signer in ipairs(options_of(task, "DKIM_TRACE")) do
    if signer:sub(-2) == ":+" and organization(signer:sub(1, -3)) == wanted then return true end
  end
  return false
end

local function later(task)
  task:set_pre_result("soft reject", "The sender cannot be verified now, try again later", "dmarc")
end

rspamd_config:register_symbol{
  name = "GHOSTINBOX_VERDICT",
  type = "postfilter",
  callback = function(task)
    local refused = options_of(task, "DMARC_POLICY_REJECT")[1]
    if refused then
      task:set_pre_result("reject", "rejected by DMARC policy for " .. refused:match("^%S*"), "dmarc")
      return
    end
    local domain, policy = unpack(options_of(task, "DMARC_DNSFAIL"))
    if not domain then return end
    -- Without a policy it is the record itself that cannot be read.
    if policy == "reject" or not policy and not is_proven(task, domain:match("^%S*")) then later(task) end
  end,
}
`;
