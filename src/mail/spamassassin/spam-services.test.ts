import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf, put } from "../../../test/kit/files.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { patience } from "../../../test/kit/patience.ts";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { textOrNothing } from "../../host/machine/read-text.ts";
import { layoutOf } from "../../settings/layout.ts";
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

const skip = lacking({ installed: ["runsv"] });

test("if mail waits for spamd, a milter that ends because the server stops is not started again", {
  skip,
  timeout: patience(30_000),
}, async (t) => {
  const own = layoutOf(temporaryDirectory());
  const service = join(own.services, "spamass-milter");
  put(join(service, "run"), "#!/bin/sh\ntrap '' TERM\n: >ignores-term\nexec sleep 60\n", 0o755);
  const runsv = spawn("runsv", [service], { stdio: "ignore" });
  t.after(() => runsv.kill("SIGKILL"));
  const ended = once(runsv, "exit");
  const is = (state: string): Promise<void> =>
    until(() => textOrNothing(join(service, "supervise", "stat")).includes(state), state);
  await until(() => existsSync(join(service, "ignores-term")), "it ignores SIGTERM");
  runsv.kill("SIGTERM");
  await is("want exit");
  const files = renderSpamMilter(sampleSite({ layout: own, spam: { ...spam, onFailure: "wait" } }));
  const script = files.find(({ name }) => name === "spamd-ended")?.text ?? assert.fail();
  spawnSync("sh", ["-c", script]);
  process.kill(Number(contentOf(join(service, "supervise", "pid"))), "SIGKILL");
  assert.deepEqual(await ended, [0, null]);
});
