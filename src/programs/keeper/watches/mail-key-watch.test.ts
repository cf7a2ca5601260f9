import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory, temporaryLayout } from "../../../../test/kit/temporary-directory.ts";
import { type MailCryptSettings, mailCryptOf } from "../../../mail/configuration/site.ts";
import { placeMailKey, prepareMailKeys } from "../../../mail/dovecot/mail-keys.ts";
import type { Layout } from "../../../settings/layout.ts";
import { createMailKeyWatch } from "./mail-key-watch.ts";

const OFF = { "mailboxes.encryption": "off", "mailboxes.encryption_key": "" } as const;
const ON = { ...OFF, "mailboxes.encryption": "server" } as const;

function scene(elsewhere: Partial<Layout> = {}) {
  const layout = { ...temporaryLayout("mailPublicKey", "mailPrivateKey", "mailKeyConf"), ...elsewhere };
  const restarted: string[] = [];
  const fails = { reason: null as string | null };
  const inForce: { settings: MailCryptSettings } = { settings: OFF };
  const keeper = () =>
    createMailKeyWatch(
      layout,
      () => inForce.settings,
      (service) => {
        restarted.push(service);
        return Promise.resolve(fails.reason);
      },
    );
  const watch = keeper();
  return {
    keeper,
    restarted,
    layout,
    inForce,
    watch,
    fails,
    prepare: () => prepareMailKeys({ mailCrypt: mailCryptOf(ON, layout), layout }).ok,
    look: async () => {
      await watch.look();
      return [watch.troubles().map(({ code }) => code), restarted.splice(0)];
    },
  };
}

test("restarts Dovecot when the key appears or disappears, with a notice while it is missing", async () => {
  const { layout, inForce, watch, prepare, look } = scene();
  assert.deepEqual(await look(), [[], []]);
  inForce.settings = ON;
  assert.deepEqual(await look(), [["mail_unencrypted"], []]);
  assert.ok(prepare());
  assert.deepEqual(await look(), [["mail_key_unseen"], []]);
  writeFileSync(layout.mailKeySeen, "");
  assert.deepEqual(await look(), [[], []]);
  renameSync(layout.mailPrivateKey, `${layout.mailPrivateKey}.away`);
  assert.deepEqual(await look(), [["mail_locked"], ["dovecot"]]);
  assert.deepEqual(await look(), [["mail_locked"], []]);
  assert.match(watch.troubles()[0]?.detail ?? "", /mail\.pem does not exist$/);
  inForce.settings = OFF;
  assert.deepEqual(await look(), [["mail_locked"], []], "encrypted mail still needs it");
  renameSync(`${layout.mailPrivateKey}.away`, layout.mailPrivateKey);
  assert.deepEqual(await look(), [[], ["dovecot"]]);
});

test("if whoever changed the key did not restart Dovecot, that happens half a minute later", async () => {
  const { layout, inForce, keeper, restarted, prepare } = scene();
  inForce.settings = ON;
  prepare();
  rmSync(layout.mailPrivateKey);
  // As `encryption lock` does.
  placeMailKey({ publicKey: layout.mailPublicKey, privateKey: layout.mailPrivateKey }, layout);
  const watch = keeper();
  for (let second = 0; second < 30; second++) assert.equal(await watch.look(), null);
  assert.deepEqual(restarted, []);
  for (let second = 0; second < 60; second++) assert.equal(await watch.look(), null);
  assert.deepEqual(restarted, ["dovecot"]);
});

test("a key that a reboot lost before its first use leaves new mail unencrypted, with a notice", () => {
  const { inForce, watch } = scene({ mailPublicKey: "/proc/nowhere/public.pem" });
  inForce.settings = { ...ON, "mailboxes.encryption_key": "/run/no-such-directory/mail.pem" };
  const [trouble] = watch.troubles();
  assert.equal(trouble?.code, "mail_unencrypted");
  assert.match(trouble?.detail ?? "", /^No key is made at \/run\//);
});

test("a missing recovery key, without which accounts get no keys, is a trouble", () => {
  const { layout, inForce, watch, prepare } = scene();
  prepare();
  writeFileSync(layout.mailKeySeen, "");
  inForce.settings = { ...ON, "mailboxes.encryption": "account" };
  const [trouble, ...others] = watch.troubles();
  assert.deepEqual([trouble?.code, others], ["recovery_key_missing", []]);
});

for (const disk of ["", ", although a full disk took no mark"])
  test(`a failed restart is retried after half a minute, until it succeeds${disk}`, async () => {
    const place = join(temporaryDirectory(), "run");
    const { layout, inForce, watch, fails, prepare, look } = scene({ mailKeyUnread: join(place, "unread") });
    if (disk === "") mkdirSync(place);
    inForce.settings = ON;
    prepare();
    rmSync(layout.mailPrivateKey);
    fails.reason = "it hangs";
    const failures = async (): Promise<readonly string[]> => {
      const answers = await Array.fromAsync({ length: 62 }, () => watch.look());
      return answers.flatMap((answer, second) => (answer === null ? [] : [`${second}: ${answer}`]));
    };
    assert.deepEqual(await failures(), ["0: it hangs", "31: it hangs"]);
    fails.reason = null;
    mkdirSync(place, { recursive: true });
    assert.deepEqual(await failures(), []);
    assert.deepEqual(await look(), [["mail_locked"], ["dovecot", "dovecot", "dovecot"]]);
  });
