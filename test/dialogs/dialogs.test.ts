import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { NO_NET_ADMIN, noNetAdminTests } from "../lab/no-net-admin-tests.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";
import { parseTranscript, play } from "./transcript.ts";

const HERE = import.meta.dirname;

describe("a server without CAP_NET_ADMIN", needsLab(), () => {
  const running = withProduct(
    { GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "1000" },
    ["anna@example.test", "bert@example.test"],
    { within: NO_NET_ADMIN },
  );
  const { lab, product } = running;
  before(async () => {
    await product.json(["alias", "add", "sales@example.test", "anna@example.test", "bert@example.test"]);
    await product.json(["alias", "add", "old@example.test", "anna@example.test"]);
    await product.json(["alias", "block", "old@example.test"]);
  });

  describe("SMTP dialogues", () => {
    for (const name of readdirSync(HERE).filter((file) => file.endsWith(".smtp")))
      test(name, async () => {
        await play(lab, parseTranscript(readFileSync(join(HERE, name), "utf8")));
      });
  });

  // Last, because it suspends an account behind the guard's back.
  describe("bans and sign-ins without a firewall", () => noNetAdminTests(running));
});
