import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { instant } from "../../core/time.ts";
import { detectorsOf } from "./detector-watch.ts";

test("a detector is followed where its file is set, with its own limits", () => {
  const of = (toml: string) => detectorsOf(settingsWith(toml));
  assert.deepEqual(of(""), []);
  const [suricata, psad, ...more] = of(
    '[detection.suricata]\nfile = "/var/log/suricata/eve.json"\nseverity = 1\n[detection.psad]\nfile = "/var/log/psad.log"\ndanger_level = 5\nmaxretry = 2\n',
  );
  assert.deepEqual(more, []);
  assert.deepEqual(
    [suricata?.name, suricata?.file, suricata?.limit, suricata?.windowMs, suricata?.banMs],
    ["ids:suricata", "/var/log/suricata/eve.json", 3, 600_000, 1_800_000],
  );
  assert.deepEqual([psad?.name, psad?.file, psad?.limit], ["ids:psad", "/var/log/psad.log", 2]);
  const scan =
    "2026-11-20T08:15:00Z mail psad: scan detected 198.51.100.7 -> 203.0.113.25 tcp: [1-9] DL: 4 total scan dsts: 1";
  assert.equal(psad?.read(scan, instant(0)), null);
  assert.equal(psad?.read(scan.replace("DL: 4", "DL: 5"), instant(0))?.ip, "198.51.100.7");
});
