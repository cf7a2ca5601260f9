import { after, before, describe } from "node:test";
import { connectionsTests } from "./connections-tests.ts";
import { enforceTests } from "./enforce-tests.ts";
import { type FirewallLab, makeFirewallLab } from "./firewall-kit.ts";
import { whyNoLab } from "./network.ts";
import { openConnectionsTests } from "./open-connections-tests.ts";
import { ownNetworksTests } from "./own-networks-tests.ts";

/** All parts share one lab, and each starts with a reset firewall. */
describe("in a real kernel", { skip: whyNoLab() ?? false }, () => {
  let kit: FirewallLab;
  before(async () => {
    kit = await makeFirewallLab();
  });
  after(() => kit.remove());
  const kitOf = (): FirewallLab => kit;

  // First, because it expects only one nft process.
  describe("the firewall follows the database", () => enforceTests(kitOf));
  describe("connections held at once", () => connectionsTests(kitOf));
  describe("open connections, counted by the guard", () => openConnectionsTests(kitOf));
  // Last, because it removes a route.
  describe("own networks", () => ownNetworksTests(kitOf));
});
