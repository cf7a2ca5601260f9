import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseKeeperReply } from "../../admin/declare/keeper.ts";
import { mailCryptOf } from "../../mail/configuration/read-site.ts";
import { prepareMailKeys } from "../../mail/dovecot/mail-keys.ts";
import { layoutOf } from "../../settings/layout.ts";
import { encryptionOf } from "./tell.ts";

const OFF = { "mailboxes.encryption": "off", "mailboxes.encryption_key": "" } as const;
const SERVER = { ...OFF, "mailboxes.encryption": "server" } as const;
const NONE = { encrypts: false, byAccount: false, readable: null, fingerprint: null };

test("the state of encryption includes which key it uses, but not where that is", () => {
  const layout = layoutOf(temporaryDirectory());
  assert.deepEqual(encryptionOf(layout, OFF), NONE);
  assert.deepEqual(encryptionOf(layout, SERVER), NONE, "no keys exist yet");
  mkdirSync(dirname(layout.mailPublicKey), { recursive: true });
  for (const file of [layout.mailPrivateKey, layout.mailKeyConf, layout.mailNoKey])
    mkdirSync(dirname(file), { recursive: true });
  const prepared = prepareMailKeys({ mailCrypt: mailCryptOf(SERVER, layout), layout });
  assert.deepEqual(prepared, { ok: true, changed: true });
  const reported = encryptionOf(layout, SERVER);
  assert.partialDeepStrictEqual(reported, { encrypts: true, byAccount: false, readable: true });
  assert.match(reported.fingerprint ?? "", /^[0-9a-f]{64}$/);
  const reply = { ok: true, detail: "", encryption: reported };
  assert.deepEqual(parseKeeperReply(JSON.stringify(reply)), reply);
  rmSync(layout.mailPrivateKey);
  assert.deepEqual(encryptionOf(layout, SERVER), { ...reported, readable: false });
  assert.deepEqual(
    encryptionOf(layout, OFF),
    { ...reported, encrypts: false, readable: false },
    "older mail stays unchanged",
  );
});
