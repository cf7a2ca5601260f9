import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { instant } from "../../core/time.ts";
import { testMessage } from "../../guard/alerts/words.ts";
import { channelsOf } from "./channels.ts";
import { receiverLookup } from "./push.ts";

const world = {
  lookup: receiverLookup({ addresses: () => Promise.resolve({ type: "none" }) }),
  clock: { now: () => instant(0) },
  ownQueue: () => Promise.resolve({ ok: false, reason: "Postfix is down" } as const),
};
function channels(alerts: string) {
  return channelsOf(settingsWith(`[alerts]\n${alerts}`), world);
}

test("without settings there is the administrator's mailbox, on this server", () => {
  assert.deepEqual(
    channels("").map(({ name, isLocal }) => [name, isLocal]),
    [["email", true]],
  );
  assert.ok(channels('ntfy = ["https://ntfy.sh/topic"]').every(({ isLocal }) => isLocal !== true));
});

test("with settings there is one channel each, named without what may be a secret", () => {
  const names = channels(`
    email = ["a@example.org", "b@example.org"]
    relay = "[smtp.example.net]:587"
    relay_to = ["me@example.net"]
    webhook = ["https://hooks.example/T0P/S3CRET", "https://hooks.example/0THER"]
    ntfy = ["https://ntfy.sh/topic-nobody-knows"]
    gotify = "https://gotify.example"
    gotify_token_file = "/nowhere/token"
    apprise = ["http://apprise:8000/notify/K3Y"]`).map(({ name }) => name);
  assert.equal(new Set(names).size, 7);
  assert.deepEqual(
    names.map((name) => name.replace(/ #[0-9a-f]{6}$/, "")),
    [
      "email",
      "relay",
      "webhook hooks.example",
      "webhook hooks.example",
      "ntfy ntfy.sh",
      "gotify gotify.example",
      "apprise apprise:8000",
    ],
  );
});

test("a file with a secret that cannot be read is a failure of one sentence that names the setting", async () => {
  const [gotify] = channels(`gotify = "http://127.0.0.1:1"\ngotify_token_file = "/nowhere/token"`);
  const outcome = await gotify?.send(testMessage(instant(0), "en"));
  const reason = "The file /nowhere/token of alerts.gotify_token_file cannot be read by the user ghostinbox.";
  assert.deepEqual(outcome, { ok: false, reason });
});
