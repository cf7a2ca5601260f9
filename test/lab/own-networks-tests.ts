import assert from "node:assert/strict";
import { test } from "node:test";
import type { FirewallLab } from "./firewall-kit.ts";
import { SERVER } from "./network.ts";

export function ownNetworksTests(kitOf: () => FirewallLab): void {
  async function ask(): Promise<string> {
    const module = new URL("../../src/host/machine/own-networks.ts", import.meta.url).href;
    const program = `
      import { ownNetworks } from ${JSON.stringify(module)};
      for (const { prefix, why } of ownNetworks([])) console.log(why, prefix);`;
    return kitOf().lab.server.mustExec([process.execPath, "--input-type=module", "-e", program]);
  }

  test("finds the addresses and default gateways of both families, and forgets a route that is removed", async () => {
    const lines = (await ask()).split("\n");
    for (const line of [
      "loopback 127.0.0.0/8",
      "loopback ::1/128",
      `own_address ${SERVER.v4}/32`,
      `own_address ${SERVER.v6}/128`,
      `gateway ${SERVER.gateway}/32`,
      "gateway 2001:db8:10::1/128",
    ])
      assert.ok(lines.includes(line), `${line} in ${lines.join(", ")}`);
    await kitOf().lab.server.mustExec(["ip", "route", "delete", "default"]);
    assert.ok(!(await ask()).includes(`gateway ${SERVER.gateway}/32`));
  });
}
