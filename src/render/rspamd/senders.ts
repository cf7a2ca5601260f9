/**
 * Lua: which author addresses an account may use. The same rule as for its envelope sender, from the same source: the
 * view `sender_login`, which the guard writes to a file after each change (`AuthorFiles`).
 */
export const SENDERS_LUA = String.raw`
-- The text of a file that the guard writes; nil while there is none, or not all of it. It is read anew each time: it
-- may have changed.
local function list(name)
  local file = io.open(AUTHOR_LISTS .. "/" .. name, "r")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text and text:find("^# [^\n]*Written by the guard%.\n") and text:sub(-7) == "\n# end\n" and text or nil
end

-- The accounts that may send as an address: lines of "ADDRESS ACCOUNT,ACCOUNT" after a first one.
local function accounts_of(senders, address)
  local _, stop = senders:find("\n" .. address .. " ", 1, true)
  return stop and senders:match("^[^\n]*", stop + 1)
end

-- As Postfix looks up smtpd_sender_login_maps: what is listed as it stands, else without its extension.
local function may_send_as(senders, account, address)
  local accounts = accounts_of(senders, address)
  if not accounts then accounts = accounts_of(senders, (address:gsub("^([^+]+)%+[^@]*@", "%1@"))) end
  return accounts ~= nil and ("," .. accounts .. ","):find("," .. account .. ",", 1, true) ~= nil
end

-- Each is looked for in the whole list.
local MOST_AUTHORS = 50

-- What is wrong with the authors that the header of a submitted mail names; nil where nothing is.
local function wrong_author(senders, account, header)
  local found = fields(header, { "from", "sender", "resent-from", "resent-sender" })
  if #found.from ~= 1 then return "A mail must have exactly one From: field" end
  if #found.sender > 1 then return "A mail must not have several Sender: fields" end
  local count = 0
  for _, name in ipairs({ "from", "sender", "resent-from", "resent-sender" }) do
    local title = (name:gsub("%f[%a]%a", string.upper))
    for _, value in ipairs(found[name]) do
      local named = mailboxes(value)
      if not named then return title .. ": must name its author as in: Name <user@example.org>" end
      count = count + #named
      if count > MOST_AUTHORS then return "A mail must not name this many authors" end
      for _, one in ipairs(named) do
        if not may_send_as(senders, account, one.address) then
          -- What a mail program cannot have meant is not repeated.
          local shown = #one.address <= 100 and one.address:match("^[a-z0-9+=._@-]+$") or "an address"
          return title .. ": names " .. shown .. ", which is not an address of this account"
        end
      end
    end
  end
end
`;
