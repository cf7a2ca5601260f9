import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { inRspamdLua } from "../../../test/kit/rspamd-lua.ts";
import { DMARC_LUA, ORGANIZATION_LUA } from "./dmarc.ts";

/** A mail by strict.test, whose policy is p=reject. Rspamd's own modules accept its signatures, except those of the selector `bad`. */
const MAIL = String.raw`
local pct = 100
local function verdict(...)
  local cache, fields, trace = {}, {}, {}
  for at, signature in ipairs({ ... }) do
    fields[at] = { decoded = signature }
    trace[at] = signature:match("d=([^;]*)") .. (signature:find("s=bad") and ":-" or ":+")
  end
  local task = {
    cache_set = function(_, name, value) cache[name] = value end,
    cache_get = function(_, name) return cache[name] end,
    get_header_full = function() return fields end,
    get_from = function(_, kind) return { { domain = kind == "mime" and "Strict.test" or "elsewhere.test" } } end,
    get_from_ip = function() return rspamd_ip.from_string("192.0.2.1") end,
    has_symbol = function(_, name) return name == "DMARC_POLICY_ALLOW" end,
    get_symbol = function(_, name) return name == "DKIM_TRACE" and { { options = trace } } or nil end,
    get_resolver = function()
      return { resolve_txt = function(_, query) query.callback(nil, nil, { "v=DMARC1; p=reject; pct=" .. pct }) end }
    end,
  }
  ask_policies(task, { "strict.test" })
  return verdict_on(task, "strict.test", false)
end
`;

/** A signature with this many Base64 digits. */
function signature(tags: string, digits = 172): string {
  return `"v=1; ${tags}; bh=x; b=${"A".repeat(digits)}"`;
}

const RSPAMD = ["rspamadm", "/usr/share/rspamd/effective_tld_names.dat"];
describe("DMARC", installed(...RSPAMD), () => {
  function verdicts(...mails: readonly (readonly string[])[]): readonly string[] {
    const asks = mails.map((signatures) => `print(verdict(${signatures.join(", ")}))`);
    return inRspamdLua([ORGANIZATION_LUA, DMARC_LUA, MAIL, ...asks, ""].join("\n"));
  }
  const strong = signature("a=rsa-sha256; d=mail.strict.test");

  test("an RSA key of 1,024 bits or an Ed25519 key proves the author, whatever else is signed", () => {
    const ed25519 = signature("a=ed25519-sha256; d=strict.test", 88);
    const ofAnother = signature("a=rsa-sha256; l=5; d=elsewhere.test");
    assert.deepEqual(verdicts([strong], [ed25519], [ofAnother, strong]), ["pass", "pass", "pass"]);
  });

  test("a short key, SHA-1 or a limit to the signed body proves nothing: the mail goes to Junk", () => {
    const weak = [
      signature("a=rsa-sha256; d=strict.test", 88),
      signature("a=rsa-sha256; d=Mail.Strict.test", 128),
      signature("a=rsa-sha1; d=strict.test"),
      signature("a=rsa-sha256; d=strict.test; l=5"),
      signature("a=rsa-sha256; d=strict.test; l\\r\\n = 5"),
      signature(`a=rsa-sha256; d=strict.test; b=${"A".repeat(88)}`),
      signature(`a=rsa-sha256; d=strict.test; b=${"A".repeat(88)}==${"!A".repeat(100)}`),
      signature("a=rsa-sha256; a=ed25519-sha256; d=strict.test", 88),
    ];
    const printed = verdicts(...weak.map((one) => [one]));
    for (const [at, one] of weak.entries()) assert.equal(printed[at], "quarantine", one);
    const both = [signature("a=rsa-sha256; d=mail.strict.test", 88), signature("a=rsa-sha256; d=strict.test")];
    assert.deepEqual(verdicts(both), ["pass"]);
  });

  test("an invalid weak signature does not save a forged mail from refusal", () => {
    assert.deepEqual(verdicts([signature("a=rsa-sha1; s=bad; d=strict.test")]), ["reject"]);
  });

  test("an invalid weak signature applies the policy to no larger share of the mail", () => {
    const ask = `pct = 0 print(verdict(${signature("a=rsa-sha1; s=bad; d=strict.test")}))`;
    assert.deepEqual(inRspamdLua([ORGANIZATION_LUA, DMARC_LUA, MAIL, ask, ""].join("\n")), ["quarantine"]);
  });

  test("only mail from loopback and from accounts is not verified", () => {
    const verified = (address: string, user = "nil"): string =>
      `print(is_verified_here({ get_user = function() return ${user} end, get_from_ip = function() return rspamd_ip.from_string("${address}") end }))`;
    const asks = ["127.0.0.9", "::1", "192.0.2.1", "fe80::5"].map((address) => verified(address));
    const all = [ORGANIZATION_LUA, DMARC_LUA, ...asks, verified("192.0.2.1", "'anna'"), ""];
    assert.deepEqual(inRspamdLua(all.join("\n")), ["false", "false", "true", "true", "false"]);
  });
});
