import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { inRspamdLua } from "../../../test/kit/rspamd-lua.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { VERIFIED_HEADERS_LUA } from "./verified-headers.ts";

test("neither a sender of ours nor one that Rspamd can't read gets a proof", installed("rspamadm"), () => {
  const word = join(temporaryDirectory(), "word");
  writeFileSync(word, "7".repeat(32));
  const isProven = (domain: string): string => `
    local headers = {}
    add_verified_headers({
      has_symbol = function(_, name) return name == "R_SPF_ALLOW" end,
      get_from = function() return { { domain = "${domain}", addr = "${domain === "" ? "" : `x@${domain}`}" } } end,
    }, headers)
    print((headers["X-GhostInbox-Verified"] or {}).value, headers["X-GhostInbox-Proof"] ~= nil)`;
  const domains = ["elsewhere.test", "Example.org", "sub.example.org", ""];
  const given = `local PROOF_WORD = "${word}"\nlocal OWN_DOMAINS = { ["example.org"] = true }\n`;
  const asks = domains.map((domain) => `do ${isProven(domain)} end`).join("\n");
  const printed = inRspamdLua(given + VERIFIED_HEADERS_LUA + asks);
  assert.deepEqual(printed, ["spf\ttrue", "spf\tfalse", "spf\ttrue", "nil\tfalse"]);
});
