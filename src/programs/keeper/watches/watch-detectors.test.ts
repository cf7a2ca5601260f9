import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedServer } from "../../../../test/kit/checked-server.ts";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { MINUTE_MS } from "../../../core/time.ts";
import { createDetectorWatch } from "./watch-detectors.ts";

const { settings } = checkedServer();
const ALL = {
  ...settings,
  "detection.suricata.file": "/var/log/suricata/eve.json",
  "detection.psad.file": "/var/log/psad-scans.log",
  "certificates.log": "/var/cache/certspotter/ghostinbox.log",
};

function watched(used: typeof settings | null, running: ReadonlySet<string> | null) {
  const layout = temporaryLayout("keeperSocket");
  const clock = new HandClock();
  const seen = { running, used };
  const names = () => seen.running;
  const started = () => createDetectorWatch(layout, clock, names, () => seen.used);
  let watch = started();
  const after = (minutes: number): readonly string[] => {
    clock.advance(minutes * MINUTE_MS);
    watch.look();
    return watch.troubles().map(({ code, detail }) => `${code}: ${detail}`);
  };
  return { after, seen, restart: () => (watch = started()) };
}

test("a detector that has not run for five minutes is reported until it runs again", () => {
  const { after, seen } = watched(ALL, new Set(["Suricata-Main", "psad", "certspotter", "sh"]));
  assert.deepEqual(after(0), []);
  seen.running = new Set(["psad"]);
  assert.deepEqual(after(1), []);
  assert.deepEqual(after(4), []);
  assert.deepEqual(after(1), ["detector_stopped: suricata (detection.suricata.file), certspotter (certificates.log)"]);
  assert.equal(after(-60).length, 1, "even if the clock was set back");
  after(60);
  seen.running = new Set(["certspotter"]);
  assert.deepEqual(after(1), ["detector_stopped: suricata (detection.suricata.file)"]);
  seen.running = new Set(["Suricata-Main", "psad", "certspotter"]);
  assert.deepEqual(after(1), []);
  seen.running = new Set(["psad", "certspotter"]);
  assert.deepEqual(after(4), [], "the five minutes start again");
});

test("after a restart, only what was reported before is reported without a wait", () => {
  const { after, seen, restart } = watched(ALL, new Set(["psad", "certspotter"]));
  after(0);
  const reported = ["detector_stopped: suricata (detection.suricata.file)"];
  assert.deepEqual(after(5), reported);
  seen.running = new Set(["psad"]);
  after(1);
  restart();
  assert.deepEqual(after(1), reported);
  seen.running = new Set(["Suricata-Main", "psad", "certspotter"]);
  after(1);
  seen.running = new Set(["psad", "certspotter"]);
  restart();
  assert.deepEqual(after(1), []);
});

test("settings that cannot be read after a restart do not end what was reported before", () => {
  const { after, seen, restart } = watched(ALL, new Set(["psad", "certspotter"]));
  after(0);
  const reported = after(5);
  assert.equal(reported.length, 1);
  seen.used = null;
  restart();
  assert.deepEqual(after(1), reported);
  seen.used = ALL;
  assert.deepEqual(after(1), reported);
});

test("detectors that are not used, or that a container cannot see, are not reported", () => {
  for (const { after } of [watched(settings, new Set()), watched(ALL, null), watched(null, new Set())]) {
    after(0);
    assert.deepEqual(after(6), []);
  }
});
