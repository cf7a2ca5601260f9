import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { renderSpamMilter, spamServices } from "./spam-services.ts";

const { layout, spam } = sampleSite();

function milter(changes: Partial<typeof spam> = {}): Readonly<Record<string, string>> {
  const files = renderSpamMilter(sampleSite({ spam: { ...spam, ...changes } }));
  return Object.fromEntries(files.map(({ name, text }) => [name, text]));
}

test("spamd runs without rights, small, and finds a recipient's preferences by the address", () => {
  const [command = ""] = spamServices(layout, 2).spamd.run;
  assert.match(command, /--reuid debian-spamd .*--bounding-set=-all --no-new-privs/);
  assert.match(command, /--max-children=2/);
  assert.match(spamServices(layout, 1).spamd.run[0] ?? "", /--max-children=1/);
  assert.match(command, /--virtual-config-dir=\/srv\/mail\/db\/spam\/%d\/%l /);
});

test("mail of any size is scored and keeps its body", () => {
  const command = milter()["command"] ?? "";
  assert.match(command, / -U \/srv\/mail\/run\/spamd\/head -t 15 --headers -s 12582912$/m);
  const [large] = renderSpamMilter(sampleSite({ messageSizeBytes: 2 ** 30 }));
  assert.match(large?.text ?? "", / -s 268435456$/m, "the most that spamc takes");
});

test("the milter may open no more files than it needs, as it closes all of them for each mail", () => {
  assert.match(milter()["command"] ?? "", /^exec chpst -o 1600 setpriv --reuid spamass-milter .* \\$/m);
});

test("mail is refused by whole points, and never with 0", () => {
  assert.match(milter()["command"] ?? "", / -r 15 -R 'Message content refused' /);
  assert.doesNotMatch(milter({ refuseScore: 0 })["command"] ?? "", / -r /);
});
