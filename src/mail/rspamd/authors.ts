/**
 * Lua: the authors that a mail's fields name (RFC 5322, 3.6.2). If two mail programs could read two different authors
 * in a field, it names none and the mail is refused: the verified author must be the one the reader sees.
 * Stricter than the RFC: no group, route or address literal, no comment or blank within an address, no encoded word
 * (RFC 2047) in one. More lenient in display names, where senders are careless and nothing can be confused: dots,
 * brackets, raw 8-bit text and an @ are allowed, and commas and colons if one address in angle brackets ends the field.
 */
export const AUTHORS_LUA = String.raw`
-- With the backquote, which Lua calls \96. Dots may be anywhere, because some providers gave out such addresses.
local ATOM = "[A-Za-z0-9!#$%%&'*+/=?^_{|}~\96.-]+"

-- Domain in lower case; nil unless it is a plain host name, whose policy can be looked up.
local function host_name(text)
  if #text > 253 or not text:find("^[A-Za-z0-9_.-]+$") then return nil end
  for label in (text .. "."):gmatch("([^.]*)%.") do
    if label == "" or #label > 63 then return nil end
  end
  return text:lower()
end

-- The content of a quoted string that begins at an index, and where it ends.
local function quoted(text, from)
  local held, at = {}, from + 1
  while at <= #text do
    local char = text:sub(at, at)
    if char == '"' then return table.concat(held), at end
    if char == "\\" then
      at = at + 1
      char = text:sub(at, at)
    end
    held[#held + 1] = char
    at = at + 1
  end
end

-- Where a comment ends. Programs that know no comments take one with angle brackets for an address.
local function comment_end(text, from)
  local depth, at = 0, from
  while at <= #text do
    local char = text:sub(at, at)
    if char == "(" then depth = depth + 1
    elseif char == ")" then depth = depth - 1
    elseif char == "\\" then at = at + 1
    elseif char == "<" or char == ">" then return nil end
    if depth == 0 then return at end
    at = at + 1
  end
end

-- The address that begins at an index, and where it ends; nil if none does.
local function address_at(text, from)
  local part, stop
  -- An encoded word is not an address. Without this check, a run of them without blanks would be read again from each one.
  if text:sub(from, from + 1) == "=?" then return nil end
  if text:sub(from, from) == '"' then
    part, stop = quoted(text, from)
    if not part or not part:find("^[A-Za-z0-9!#$%%&'*+/=?^_{|}~ .-]+$") then return nil end
  else
    part = text:match("^" .. ATOM, from)
    if not part then return nil end
    stop = from + #part - 1
  end
  local domain = text:match("^@([^%s()<>,:;\"\\%[%]@]+)", stop + 1)
  local host = domain and host_name(domain)
  if not host or part:find("=?", 1, true) then return nil end
  return { domain = host, address = part:lower() .. "@" .. host }, stop + 1 + #domain
end

-- One word of a display name as a reader sees it, where it ends, and whether it was encoded.
local function word_at(text, at)
  local encoded, held = text:match("^(=%?[^%s?]+%?[BbQq]%?([^%s?<>()\"\\]*)%?=)", at)
  if encoded then return held:gsub("_", " "), at + #encoded - 1, true end
  local word = text:match("^[^%s()<>,:;\"\\]+", at)
  if word then return word, at + #word - 1 end
end

-- Whether a display name contains text that reads as an address other than the given one, even with blanks in it
-- (RFC 5322, 4.4).
local function misleads(name, address)
  -- Runs of blanks first: an encoded word may hold many, and the second pattern would read a run again at each of them.
  for word in name:gsub("[ \t]+", " "):gsub(" ?([@.]) ?", "%1"):gmatch("[^ ,:;]+") do
    local bare = word:gsub("^'+", ""):match("^.*[^']") or ""
    if word:find("@[^@]*%.[^@]") and bare:lower() ~= address then return true end
  end
  return false
end

-- The mailbox that begins at an index, and where it ends: at a comma or after the text. Loose: commas, colons and
-- semicolons are part of the name, after words that are neither quoted nor encoded.
local function mailbox_at(text, from, loose)
  local found, bare, others, hidden, name, at = nil, nil, 0, false, {}, from
  while at <= #text and (loose or text:sub(at, at) ~= ",") do
    local char = text:sub(at, at)
    local stop
    if char == " " or char == "\t" then
      stop = select(2, text:find("^[ \t]+", at))
      if name[#name] ~= " " then name[#name + 1] = " " end
    elseif char == "(" then stop = comment_end(text, at)
    -- Nothing follows an address.
    elseif found then return nil
    elseif char == "<" then
      local start = text:find("[^ \t]", at + 1)
      if not start then return nil end
      found, stop = address_at(text, start)
      stop = found and text:match("^[ \t]*()>", stop + 1)
      if not found or misleads(table.concat(name), found.address) then return nil end
    elseif loose and not hidden and char:find("[,:;]") then
      stop = at
      name[#name + 1] = char
    else
      local address, word, masked
      address, stop = address_at(text, at)
      if address then
        bare, word = bare or address, text:sub(at, stop)
        if bare ~= address then others = others + 1 end
      else
        others = others + 1
        if char == '"' then
          -- Quoted text is part of a name. A quote represents it here, because what follows could make it part of an address.
          word, masked, stop = '"', true, select(2, quoted(text, at))
        else
          word, stop, masked = word_at(text, at)
        end
      end
      hidden = hidden or masked
      name[#name + 1] = word
    end
    if not stop then return nil end
    at = stop + 1
  end
  -- Without angle brackets an address must be alone.
  if not found and others == 0 and not loose then found = bare end
  return found, at
end

-- The mailboxes of a field in their order; nil unless it is certain whom it names.
local function mailboxes(value)
  local text = value:gsub("\r?\n([ \t])", "%1"):gsub("^([^:]*);[ \t]*$", "%1")
  if text:find("[%z\1-\8\10-\31\127]") then return nil end
  local list, at = {}, 1
  repeat
    local one, stop = mailbox_at(text, at, false)
    if not one then
      -- Careless, but with one address, at the end: "Smith, Anna <anna@example.org>".
      one = text:find("^[^<>]*<[^<>]*>[ \t]*$") and mailbox_at(text, 1, true)
      return one and { one } or nil
    end
    list[#list + 1] = one
    at = stop + 1
  until stop > #text
  return list
end

-- Whether a field holds neither an address nor text that could be shown as one: "Mail Delivery System <MAILER-DAEMON>".
local function names_nobody(value)
  return not value:find("@", 1, true) and not value:find("=?", 1, true)
end

-- A longer field names no author and is unclear. Some 200 authors fit into it.
local LONGEST_FIELD = 16 * 1024

-- The values of the fields with these names, by their names in lower case. Other mail waits for this, so the C library looks for the end
-- of a field, however many lines it has: a loop over 10 MB of lines takes a second.
local function fields(headers, names)
  local found = {}
  for _, name in ipairs(names) do found[name] = {} end
  local text, at = "\n" .. headers .. "\n", 1
  while at < #text do
    local stop = text:find("\n[^ \t]", at + 1) or #text
    local name, from = text:match("^\n([^:%s]+)[ \t]*:()", at)
    local list = name and found[name:lower()]
    -- Too long: "@" is neither a mailbox nor harmless text.
    if list then
      local value = stop - from < LONGEST_FIELD and text:sub(from, stop - 1) or "@"
      list[#list + 1] = value:gsub("\r\n", "\n"):gsub("\r$", "")
    end
    at = stop
  end
  return found
end
`;

/**
 * Lua: which author addresses an account may use. The same rule as for its envelope sender, from the same source: the
 * view `sender_login`, which the guard writes to a file after each change (programs/guard/watch-content.ts).
 */
export const SENDERS_LUA = String.raw`
-- The text of a file that the guard writes; nil while it is missing or incomplete. It is read each time, because it may
-- have changed.
local function guard_list(name)
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

-- As Postfix looks up smtpd_sender_login_maps: with its extension, otherwise without.
local function may_send_as(senders, account, address)
  local accounts = accounts_of(senders, address)
  if not accounts then accounts = accounts_of(senders, (address:gsub("^([^+]+)%+[^@]*@", "%1@"))) end
  return accounts ~= nil and ("," .. accounts .. ","):find("," .. account .. ",", 1, true) ~= nil
end

-- Limited, because the whole list is searched for each author.
local MOST_AUTHORS = 50

-- What is wrong with the authors that the header of a submitted mail names; nil if nothing is.
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
      if count > MOST_AUTHORS then return "A mail must not name more than " .. MOST_AUTHORS .. " authors" end
      for _, one in ipairs(named) do
        if not may_send_as(senders, account, one.address) then
          -- Does not repeat text that no mail program writes.
          local shown = #one.address <= 100 and one.address:match("^[a-z0-9+=._@-]+$") or "an address"
          return title .. ": names " .. shown .. ", which is not an address of this account"
        end
      end
    end
  end
end
`;
