import assert from "node:assert/strict";
import { before, test } from "node:test";
import { GhostInbox, Refused } from "../../clients/typescript/client.js";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

const OFFENDER = "198.51.100.231";

export function apiClientTests({ lab, product }: Running): void {
  let api: GhostInbox;
  before(async () => {
    const port = await lab.server.forward({ from: "127.0.0.1", to: "127.0.0.1", port: 3000 });
    api = new GhostInbox({ url: `http://127.0.0.1:${port}`, token: await product.makeToken("script") });
  });

  test("it bans, explains and lifts", async () => {
    const asked = { body: { ip: OFFENDER, reason: "it scanned us", for: "2h" } } as const;
    const tried = await api.request("POST /api/v1/bans", { ...asked, query: { dry_run: true } });
    assert.equal(tried.ban.prefix, `${OFFENDER}/32`);
    assert.equal((await explained()).ban, null, "that was a dry run");

    const { ban } = await api.request("POST /api/v1/bans", { ...asked, key: "script-1" });
    assert.deepEqual(await api.request("POST /api/v1/bans", { ...asked, key: "script-1" }), { ban }, "asked twice");
    const { ban: standing, timeline } = await explained();
    assert.deepEqual([standing, timeline.at(-1)?.type], [ban, "BAN"]);
    await until("it is in force", isInForce);

    const network = standing?.prefix ?? "";
    assert.deepEqual(await api.request("DELETE /api/v1/bans/{network}", { params: { network } }), { prefix: network });
    const after = await explained();
    assert.deepEqual([after.ban, after.pastBans.length], [null, 1]);
    await until("it is lifted", async () => !(await isInForce()));
    const isRefusal = (error: unknown): boolean =>
      error instanceof Refused && error.problem?.code === "refused" && error.problem.next !== "";
    await assert.rejects(api.request("DELETE /api/v1/bans/{network}", { params: { network } }), isRefusal);
  });

  const isInForce = async () => {
    const asked = ["nft", "get", "element", "inet", "ghostinbox", "ban4", `{ ${OFFENDER} }`];
    return (await lab.server.exec(asked)).code === 0;
  };
  const explained = () => api.request("GET /api/v1/why/{ip}", { params: { ip: OFFENDER } });
}
