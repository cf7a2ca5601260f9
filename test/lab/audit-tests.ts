import assert from "node:assert/strict";
import { test } from "node:test";
import { asUser } from "./commands.ts";
import { ANNA } from "./mail.ts";
import { until } from "./wait.ts";
import { WebClient } from "./web-client.ts";
import type { Running } from "./with-product.ts";

export function auditTests({ lab, product }: Running): void {
  test("the audit has what was done by command and by token; an edit and a removal with sqlite3 are found", async () => {
    const edit = (sql: string) =>
      lab.server.mustExec(["sqlite3", "-cmd", ".timeout 5000", product.layout.engineDb, sql]);
    const stranger = await WebClient.local(lab.server);
    const of = async (name: string, ...scope: readonly string[]) =>
      stranger.bearing(await product.makeToken(name, ...scope));
    const owner = await of("owners", "--scope", "owner");
    const web = await of("tests");
    for (const [method, path, body] of [
      ["POST", "/api/v1/bans", { ip: "198.51.100.205", for: "2h" }],
      ["DELETE", "/api/v1/bans/198.51.100.205", undefined],
    ] as const)
      assert.ok((await web.ask(method, path, { body })).status < 300);
    await product.json(["alias", "add", "audited@example.test", ANNA]);
    const listed = (await product.cli(["audit", "list"])).stdout;
    assert.match(listed, / root +ACCOUNT_ADDED +anna@example\.test$/m);
    assert.match(
      listed,
      / web:token tests via .* BAN +198\.51\.100\.205\/32\n.* UNBAN +198.*\n.* root +ALIAS_ADDED +audited@/,
    );
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
    const verify = ["audit", "verify"];
    assert.match(await product.does(verify), /^Entries 1 to \d+ are consistent\.\nRoot anchored entry/);

    await edit("UPDATE audit_entry SET actor = 'web:eve' WHERE id = 1");
    await product.fails(verify, /entry 1 was changed/);
    await edit("UPDATE audit_entry SET actor = 'root' WHERE id = 1");
    await product.does(verify);

    await edit("CREATE TABLE kept AS SELECT * FROM audit_entry ORDER BY id DESC LIMIT 1");
    await edit("DELETE FROM audit_entry WHERE id = (SELECT id FROM kept)");
    await product.fails(verify, /1 entry from \d+ on is missing/);
    await edit("INSERT INTO audit_entry SELECT * FROM kept; DROP TABLE kept");
    await product.does(verify);

    await edit(
      "DELETE FROM audit_entry WHERE id > (SELECT max(id) - 2 FROM audit_entry); UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM audit_entry) WHERE name = 'audit_entry'",
    );
    await product.fails(verify, /2 entries from \d+ on are missing/);
    const write = ["sh", "-c", `: >> ${product.layout.auditAnchors}`];
    const asGuard = await lab.server.exec([...asUser("ghostinbox"), ...write]);
    assert.notEqual(asGuard.code, 0, "the guard's user cannot write the anchors");
    await product.does(["audit", "accept", "--yes", "a test"]);
    await product.does(verify);
  });
}
