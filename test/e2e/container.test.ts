import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BRIDGE, intoContainer, NEIGHBOUR, OTHER_BRIDGE, publish } from "../lab/container-network.ts";
import { stopService } from "../lab/content.ts";
import type { Dialog } from "../lab/dialog.ts";
import { openImap, sendMail, tryLogIn } from "../lab/mail.ts";
import { SERVER } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const ACCOUNTS = ["anna@example.test", "ben@example.test", "carla@example.test"] as const;
const [ANNA] = ACCOUNTS;
const PHONES = ["198.51.100.70", "198.51.100.71", "198.51.100.72"] as const;

/** Here only the container's host sees the clients' real addresses. */
describe("in a container whose network hides all clients", needsLab(), () => {
  const { lab, product } = withProduct({}, ACCOUNTS, { prepare: () => intoContainer("bridge") });

  async function signIn(account: string, from: string): Promise<void> {
    assert.match(await tryLogIn(lab.sender, from, account), /^OK/, `${account} from ${from}`);
  }
  /** Tries seven different wrong passwords, which would cause a ban without a container. */
  const guess = (round = 1) =>
    Promise.all(
      Array.from({ length: 7 }, async (_, number) => {
        const name = `nobody${number}@example.test`;
        assert.match(await tryLogIn(lab.attacker, "198.51.100.200", name, `guess ${round} ${number}`), /^NO/);
      }),
    );
  async function sparedAs(ip: string, reason: string): Promise<void> {
    await until(`${ip} is spared`, async () =>
      (await product.events(ip)).some((event) => event.type === "LOGIN_FAILED" && event.reason === reason),
    );
    assert.deepEqual((await product.stats()).bans.items, []);
  }
  async function othersGoOn(): Promise<void> {
    for (const [index, account] of ACCOUNTS.entries()) await signIn(account, PHONES[index] ?? "");
    assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.80" })).code, 250);
  }

  test("the bridge is never banned, whatever comes through it, and all other clients are served", async () => {
    await guess();
    await sparedAs(BRIDGE, "gateway");
    await othersGoOn();
    await product.fails(["ban", BRIDGE], /gateway|proxy/i);
  });

  test("a notice says that attackers cannot be distinguished from users, and what to do", async () => {
    for (let i = 0; i < 4; i++) await othersGoOn();
    const notice = await until("there is a notice", async () =>
      (await product.stats()).health.notices.find((one) => one.code === "all_clients_private"),
    );
    assert.match(notice.detail, new RegExp(`come from ${RegExp.escape(BRIDGE)}$`));
    assert.match(notice.next, /Let the proxy or the container network pass on the clients' real addresses/);
    assert.match((await product.cli(["status"])).stdout, /All clients seem to come from one private address/);
  });

  test("accepts more connections at once than one address may otherwise have", async () => {
    const held: Dialog[] = [];
    for (let i = 0; i < 15; i++) held.push(await openImap(lab.sender, `198.51.100.${90 + i}`, SERVER.v4));
    await signIn(ANNA, PHONES[0]);
    for (const dialog of held) dialog.close();
  });

  test("nor is the bridge of a network without the default route ever banned", async () => {
    await publish("other");
    await guess();
    await sparedAs(OTHER_BRIDGE, "gateway");
    await othersGoOn();
  });

  test("nor is another container through which all clients come, once accounts have signed in from there", async () => {
    await publish("neighbour");
    // A restarted guard has forgotten the bridges.
    await (await stopService(product, "guard")).start();
    for (let i = 0; i < 4; i++)
      for (const [index, account] of ACCOUNTS.entries()) await signIn(account, PHONES[index] ?? "");
    // Since accounts signed in from there, wrong passwords never ban it. At other accounts they are refused after a while.
    for (const round of [1, 2, 3, 4]) await guess(round);
    await sparedAs(NEIGHBOUR, "known_address");
    const refused = (await product.events(NEIGHBOUR)).filter(({ reason }) => reason === "known_address_at_others");
    assert.ok(refused.length > 0, "guesses at other accounts are refused");
    await othersGoOn();
  });
});
