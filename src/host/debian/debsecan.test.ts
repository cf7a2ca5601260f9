import assert from "node:assert/strict";
import { test } from "node:test";
import { readDebsecan } from "./updates.ts";

test("holes with a fix come by package, others are counted once each", () => {
  const said = `CVE-2026-0001 libc6 (fixed, remotely exploitable, high urgency)
CVE-2026-0002 libc6 (fixed)
CVE-2026-0003 libc6
CVE-2026-0003 libc-bin (low urgency)
TEMP-0290435-0B57B5 tar (low urgency, obsolete)
`;
  assert.deepEqual(readDebsecan(said), {
    fixable: [{ name: "libc6", cves: ["CVE-2026-0001", "CVE-2026-0002"] }],
    unfixed: 2,
  });
  assert.deepEqual(readDebsecan(""), { fixable: [], unfixed: 0 });
});
