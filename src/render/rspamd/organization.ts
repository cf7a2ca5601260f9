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
    -- Where no rule matches, the last label alone is the suffix.
    if not parent then return domain or rest end
    domain, rest = rest, parent
  end
end
rspamd_util.get_tld = organization
`;
