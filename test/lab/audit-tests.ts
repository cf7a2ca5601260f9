import assert from "node:assert/strict";
import { test } from "node:test";
import { asUser } from "./commands.ts";
import { ANNA } from "./mail.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";
import type { Running } from "./with-product.ts";

export function auditTests({ lab, product }: Running): void {
  test("the audit has what was done by command and by token, and root anchors it", async () => {
    const address = { from: "127.0.0.1", to: "127.0.0.1", port: 3000 };
    const of = async (name: string, ...scope: readonly string[]) =>
      (await WebClient.from(lab.server, address)).with({
        authorization: `Bearer ${await product.makeToken(name, ...scope)}`,
      });
    const owner = await of("owners", "--scope", "owner");
    const web = await of("tests");
    const asked = { body: { ip: "198.51.100.205", for: "2h" } };
    assert.ok((await web.ask("POST", "/api/v1/bans", asked)).status < 300);
    assert.ok((await web.ask("DELETE", "/api/v1/bans/198.51.100.205")).status < 300);
    await product.json(["alias", "add", "audited@example.test", ANNA]);
    const listed = (await product.cli(["audit", "list"])).stdout;
    assert.match(listed, / root +ACCOUNT_ADDED +anna@example\.test$/m);
    const inOrder =
      / web:token tests via .* BAN +198\.51\.100\.205\/32\n.* UNBAN +198.*\n.* root +ALIAS_ADDED +audited@/;
    assert.match(listed, inOrder);
    const page = await owner.ask("GET", "/api/v1/audit?limit=2");
    assert.partialDeepStrictEqual(page.json(), {
      items: [
        { actor: "root", type: "ALIAS_ADDED", subject: "audited@example.test" },
        { type: "UNBAN", subject: "198.51.100.205/32" },
      ],
    });
    // A minute after its start.
    const looked = async () => {
      const { text } = await owner.ask("GET", "/api/v1/audit/verify");
      return text.startsWith('{"audit":{') && text;
    };
    const checked = await until("the keeper has looked at it", looked, 100_000);
    assert.match(checked, /^\{"audit":\{"checkedAt":.*"last":\d.*"fault":null/);
    for (const path of ["/api/v1/audit", "/api/v1/audit/verify"])
      assert.equal((await web.ask("GET", path)).status, 403, "an operator reads none of it");
    const anchored = await product.cli(["audit", "anchor"]);
    assert.match(anchored.stdout, /^Entry \d+ is anchored/, anchored.stderr);
    // An edit and a removal: src/store/events/audit.test.ts and audit.test.ts of the command.
    const verified = await product.cli(["audit", "verify"]);
    assert.match(verified.stdout, /^Entries 1 to \d+ are consistent\.\nRoot anchored entry/);
    const write = ["sh", "-c", `: >> ${product.layout.auditAnchors}`];
    const asGuard = await lab.server.exec([...asUser("ghostinbox"), ...write]);
    assert.notEqual(asGuard.code, 0, "the guard's user cannot write the anchors");
  });
}
