import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../../../test/kit/needs.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import { STOCK_DIRECTORY } from "../../../../mail/fail2ban/adopt-filters.ts";
import { fail2banTest } from "./fail2ban.ts";

test("a filter test says how many further addresses it does not list", {
  skip: lacking({ root: true, installed: [STOCK_DIRECTORY] }),
}, async () => {
  const layout = temporaryLayout();
  writeFileSync(layout.settings, 'domains = ["example.org"]\n');
  const [filter, log] = [join(layout.data, "own.conf"), join(layout.data, "log")];
  writeFileSync(filter, "[Definition]\nfailregex = ^ login failed from <HOST>$\n");
  const lines = Array.from({ length: 53 }, (_, nth) => `Nov 20 10:00:00 login failed from 198.51.100.${nth}\n`);
  writeFileSync(log, lines.join(""));
  const answer = await fail2banTest(scriptCall({ layout, args: [filter, log] }));
  const text = answer.ok ? answer.text : answer.message;
  assert.match(text, /^own matches 53 of 53 lines\.$/m);
  assert.match(text, /\n198\.51\.100\.\d+ +1 +watched\n… and 3 more \(--json\)\n/);
});
