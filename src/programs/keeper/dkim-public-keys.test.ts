import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { settings } from "../../../test/kit/upkeep-kit.ts";
import { layoutOf } from "../../settings/layout.ts";
import { publicKeys } from "./tell.ts";

test("returns each domain's public key, nothing for a domain without a key, and never the private one", () => {
  const layout = layoutOf(temporaryDirectory());
  mkdirSync(layout.dkimKeys, { recursive: true });
  const privateKey = generateKeyPairSync("rsa", { modulusLength: 1_024 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  writeFileSync(join(layout.dkimKeys, `example.org.${settings["dkim.selector"]}.pem`), privateKey);
  const [first, second] = publicKeys(layout, settings);
  const shown = createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64");
  assert.deepEqual(
    [first, second],
    [
      { domain: "example.org", key: shown },
      { domain: "example.net", key: "" },
    ],
  );
});
