import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { settingsWith } from "../../../test/kit/loaded-settings.ts";
import { makeMailQueue, queuedMails, SENDMAIL } from "../../../test/kit/mail-queue.ts";
import { reasonOf } from "../../../test/kit/reason-of.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { HOUR_MS } from "../../core/time.ts";
import { layoutOf } from "../../settings/layout.ts";
import { type AlertMail, createAlertMails, whyUnqueued } from "./alert-mails.ts";

const TOLD = '[alerts]\nemail = ["owner@elsewhere.example", "second@elsewhere.example"]\n';
const NTFY = '[alerts]\nntfy = ["https://ntfy.example/topic"]\n';

function alert(clock: HandClock, id: string): AlertMail {
  const words = { severity: "warning", title: "Many bans", body: "11 networks" } as const;
  return { verb: "mail_alert", id, kind: "opened", at: clock.now(), ...words };
}

test("an alert without a mailbox in the settings is refused", async () => {
  const clock = new HandClock();
  const mails = createAlertMails(temporaryLayout(), clock);
  const reason = "alerts.email is empty, and another channel has been set.";
  assert.deepEqual(await mails.send(alert(clock, "a"), settingsWith(NTFY)), { ok: false, reason });
});

test("a sendmail that takes too long is reported, unless postdrop says what it waits for", () => {
  const ended = { code: 124, stdout: "", stderr: "it ended with code 124" };
  assert.equal(whyUnqueued(ended), "sendmail took more than 10 seconds");
  const stderr = "postdrop: warning: mail_queue_enter: create file maildrop/1: No space left on device\n";
  assert.equal(whyUnqueued({ ...ended, stderr }), stderr.trim());
});

describe("alerts in the queue of the real Postfix", SENDMAIL, () => {
  const queue = () => {
    const layout = temporaryLayout();
    makeMailQueue(layout);
    const clock = new HandClock();
    return { layout, clock, mails: createAlertMails(layout, clock) };
  };

  test("an alert goes to the mailboxes of the settings, from our address", async () => {
    const { layout, clock, mails } = queue();
    const detail = "Mailed owner@elsewhere.example, second@elsewhere.example.";
    assert.deepEqual(await mails.send(alert(clock, "a"), settingsWith(TOLD)), { ok: true, detail });
    const queued = queuedMails(layout).join();
    for (const part of ["postmaster@example.org", "owner@elsewhere.example", "second@elsewhere.example", "11 networks"])
      assert.ok(queued.includes(part), `${part} is not in ${queued}`);
    assert.match(queued, /Subject: .*Many bans/);
  });

  test("an alert that is requested twice within an hour is sent once", async () => {
    const { layout, clock, mails } = queue();
    const send = (id: string) => mails.send(alert(clock, id), settingsWith(TOLD));
    const replies = [await send("a"), await send("a")];
    assert.ok(replies.every(({ ok }) => ok));
    assert.equal(queuedMails(layout).length, 1);
    await send("b");
    assert.equal(queuedMails(layout).length, 2);
    clock.advance(HOUR_MS);
    await send("a");
    assert.equal(queuedMails(layout).length, 3);
  });

  test("an alert that could not be queued is retried when it is requested again", async () => {
    const { layout, clock, mails } = queue();
    rmSync(layout.postfixConf, { recursive: true });
    const refused = await mails.send(alert(clock, "a"), settingsWith(TOLD));
    assert.match(reasonOf(refused), /main\.cf: No such file or directory/);
    makeMailQueue(layout);
    assert.ok((await mails.send(alert(clock, "a"), settingsWith(TOLD))).ok);
    assert.equal(queuedMails(layout).length, 1);
  });
});

test("a compromised guard cannot fill a mailbox: at most 200 alerts an hour", async () => {
  const clock = new HandClock();
  let queued = 0;
  const queue = () => Promise.resolve({ ok: false as const, reason: `failed, but counts: ${++queued}` });
  const mails = createAlertMails(layoutOf("/nowhere"), clock, queue);
  const send = (id: string) => mails.send(alert(clock, id), settingsWith(TOLD));
  await Promise.all(Array.from({ length: 200 }, (_, i) => send(`id-${i}`)));
  assert.deepEqual(await send("one more"), { ok: false, reason: "200 alerts were mailed within an hour." });
  assert.equal(queued, 200);
  await mails.alarm(alert(clock, "the keeper's"), settingsWith(TOLD));
  assert.equal(queued, 201, "it cannot silence the keeper either");
  clock.advance(HOUR_MS);
  await send("one more");
  assert.equal(queued, 202);
});
