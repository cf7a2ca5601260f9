/**
 * Lua: what DMARC (RFC 7489) says about each domain that a mail names as its author's. Rspamd's own module judges the
 * one author that it reads. If it reads another one, or a mail has several, the policies are looked up here.
 * If a key or a record cannot be looked up now, DMARC would treat the mail as forged and refuse it for good. So the
 * mail must retry later (RFC 6376 section 6.1.2, RFC 7489 section 6.6.2).
 */
export const DMARC_LUA = String.raw`
local dmarc = require "plugins/dmarc"
local rspamd_ip = require "rspamd_ip"

local MOST_DOMAINS = 4
-- Base64 digits of a signature with an RSA key of 1,024 bits.
local SHORTEST_SIGNATURE = 171

local function options_of(task, name)
  local found = task:get_symbol(name)
  return found and found[1].options or {}
end

-- Domains with a signature that Rspamd accepts although anyone may have made it, or added to the mail: with a short key or SHA-1
-- (RFC 8301, 3), or with a limit to the signed body (RFC 6376, 8.2). Of repeated tags each one counts.
local function weak_signers(task)
  local weak = {}
  for _, field in ipairs(task:get_header_full("DKIM-Signature") or {}) do
    local tags = ";" .. (field.decoded or ""):gsub("%s", ""):lower()
    local is_weak = tags:find(";l=", 1, true) or tags:find(";a=rsa-sha1", 1, true)
    for digits in tags:gmatch(";b=([a-z0-9+/]*)") do
      is_weak = is_weak or #digits < SHORTEST_SIGNATURE and tags:find(";a=rsa", 1, true)
    end
    for domain in (is_weak and tags or ""):gmatch(";d=([^;]*)") do weak[domain] = true end
  end
  return weak
end

-- Loopback is a proxy that hides its clients, or this machine; an account is held to its own addresses.
local function is_verified_here(task)
  local address = tostring(task:get_from_ip())
  return not task:get_user() and not address:find("^127%.") and address ~= "::1"
end

-- Whether SPF or DKIM proves the author, as strictly as the policy requires, or least strictly without one. If not, whether a
-- weak signature would.
local function is_proven(task, author, policy)
  local function aligned(name, strict)
    if strict then return name:lower() == author end
    return organization(name) == organization(author)
  end
  local sender = (task:get_from("smtp") or {})[1]
  local domain = sender and sender.domain
  if not domain or domain == "" then domain = task:get_helo() or "" end
  if task:has_symbol("R_SPF_ALLOW") and aligned(domain, policy and policy.strict_spf) then return true end
  local is_weak = false
  for _, signer in ipairs(options_of(task, "DKIM_TRACE")) do
    local name = signer:sub(1, -3)
    if signer:sub(-2) == ":+" and aligned(name, policy and policy.strict_dkim) then
      if not task:cache_get("ghostinbox_weak")[name:lower()] then return true end
      is_weak = true
    end
  end
  return false, is_weak
end

local function is_unknown_now(task)
  if task:has_symbol("R_SPF_DNSFAIL") then return true end
  for _, signer in ipairs(options_of(task, "DKIM_TRACE")) do
    if signer:sub(-2) == ":?" then return true end
  end
  return false
end

local ABSENT = { ["requested record is not found"] = true, ["no records with this name"] = true }

-- The one valid policy among TXT records; nil if there is none.
local function policy_among(task, records, of_parent)
  local policy
  for _, record in ipairs(records or {}) do
    local valid, read = dmarc.dmarc_check_record(task, record, of_parent)
    if valid and policy or not valid and read then return nil end
    if valid then policy = read end
  end
  return policy
end

-- Looks up the policies of authors that Rspamd's module does not judge. Each entry gets a policy, or fails.
local function ask_policies(task, domains)
  local from = task:get_from("mime") or {}
  local ip = task:get_from_ip()
  -- Rspamd's module does not judge mail from link-local clients.
  local is_judged = #from == 1 and not (ip and ip:is_valid() and ip:is_local())
  local judged = is_judged and from[1].domain and from[1].domain:lower()
  local weak, found = weak_signers(task), {}
  -- Rspamd's module would accept a weak signature.
  local suffix = judged and "." .. organization(judged)
  for signer in pairs(weak) do
    if suffix and ("." .. signer):sub(-#suffix) == suffix then judged = nil end
  end
  task:cache_set("ghostinbox_weak", weak)
  for _, domain in ipairs(domains) do
    if domain ~= judged then
      local entry = {}
      found[domain] = entry
      for _, name in ipairs({ domain, organization(domain) }) do
        local of_parent = name ~= domain
        task:get_resolver():resolve_txt({
          task = task,
          name = "_dmarc." .. name,
          forced = true,
          callback = function(_, _, records, err)
            if err and not ABSENT[err] then entry.failed = true
            elseif of_parent then entry.parent = policy_among(task, records, true)
            else entry.own = policy_among(task, records, false) end
          end,
        })
      end
    end
  end
  task:cache_set("ghostinbox_policies", found)
end

local function verdict_by_policy(task, domain, entry)
  local policy = entry.own or entry.parent
  local proven, weakly = is_proven(task, domain, policy)
  if proven then return "pass" end
  if not policy then return entry.failed and "later" or "none" end
  local wanted = policy.dmarc_policy
  -- The next milder policy applies to the rest of the mail (RFC 7489, 6.6.4).
  if math.random(100) > (policy.pct or 100) then wanted = wanted == "reject" and "quarantine" or "none" end
  if wanted == "none" then return "none" end
  -- A forwarded mail with such a signature is probably honest.
  return is_unknown_now(task) and "later" or weakly and "quarantine" or wanted
end

-- The verdict on a mail by this author: pass (it is proven), none (no policy applies), quarantine, reject or later.
local function verdict_on(task, domain, own)
  local asked = task:cache_get("ghostinbox_policies")
  -- The rule that asks for policies failed.
  if not asked then return "later" end
  local entry = asked[domain]
  if entry then return verdict_by_policy(task, domain, entry) end
  if task:has_symbol("DMARC_POLICY_ALLOW") then return "pass" end
  if task:has_symbol("DMARC_POLICY_REJECT") then return "reject" end
  if task:has_symbol("DMARC_POLICY_QUARANTINE") then return "quarantine" end
  if task:has_symbol("DMARC_POLICY_SOFTFAIL") then return "none" end
  if task:has_symbol("DMARC_DNSFAIL") then
    -- Without a policy, the record itself could not be read.
    local policy = options_of(task, "DMARC_DNSFAIL")[2]
    if not policy and is_proven(task, domain) then return "pass" end
    return policy == "none" and not own and "none" or "later"
  end
  return is_proven(task, domain) and "pass" or "none"
end

-- Whether the client is on the owner's allow list: networks, one a line.
local function is_trusted(task, clients)
  local ip = task:get_from_ip()
  if not clients or not ip or not ip:is_valid() then return false end
  for address, length in clients:gmatch("([^%s/]+)/(%d+)") do
    local network, bits = rspamd_ip.from_string(address), tonumber(length)
    if network:is_valid() and network:get_version() == ip:get_version()
      and tostring(ip:apply_mask(bits)) == tostring(network:apply_mask(bits)) then return true end
  end
  return false
end
`;

/** Lua: the organizational domain of a domain (RFC 7489, 3.2), for our rules and for Rspamd's own modules. */
export const ORGANIZATION_LUA = String.raw`
local rspamd_util = require "rspamd_util"

-- Public suffixes by https://publicsuffix.org/list; rspamd's own search needs far more memory for them.
local rules = {}
for line in io.lines("/usr/share/rspamd/effective_tld_names.dat") do
  local rule = line:match("^[^/%s]%S*")
  if rule then rules[rule] = true end
end

-- The organizational domain, of a name in lower or upper case.
local function organization(name)
  local domain, rest = nil, name:lower():gsub("%.+$", "")
  while rest do
    local parent = rest:match("^[^.]*%.(.+)$")
    if rules["!" .. rest] then return rest end
    if rules[rest] or parent and rules["*." .. parent] then return domain or rest end
    -- If no rule matches, the suffix is only the last label.
    if not parent then return domain or rest end
    domain, rest = rest, parent
  end
end
rspamd_util.get_tld = organization
`;
