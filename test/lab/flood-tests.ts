import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { ANNA, sendMail, tryLogIn } from "./mail.ts";
import type { Product } from "./product.ts";
import { resourcesOf } from "./resources.ts";
import { eachOf, until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** Ten times the maximum number of rows; `npm run bench` measures the memory after twice as many. */
const ADDRESSES = 100_000;
const CONNECTIONS = 250;
const THROUGH_POSTFIX = 300;
const MAX_ROWS = 10_000;
/** Maximum resident and anonymous memory of the guard afterwards. */
const MOST_ANONYMOUS_MB = 64;

/** Settings of a server in a flood. */
export const FLOODED = {
  GHOSTINBOX_EVENTS__MAX_ROWS: String(MAX_ROWS),
  GHOSTINBOX_EVENTS__MAX_SIZE: "32MB",
  // High, because past this limit the answers would not reveal which recipients exist.
  GHOSTINBOX_LIMITS__RECIPIENTS__UNKNOWN_SERVER_PER_HOUR: "10000",
} as const;

/** For a server with these settings and ANNA's account. */
export function floodTests({ lab, product }: Running): void {
  test(`${ADDRESSES} addresses at the policy socket: memory and disk stay bounded, and there is a notice`, async () => {
    const before = await connects(product);
    const share = ADDRESSES / CONNECTIONS;
    const shares = Array.from({ length: CONNECTIONS }, (_, i) => i * share);
    await Promise.all(shares.map((first) => ask(product.layout.policySocket, first, first + share)));
    assertBounded(product);
    await until("the rows are within their limit", async () => (await product.countEvents("TRUE")) <= MAX_ROWS);
    assert.ok(await product.hasNotice("events_aggregated"));
    assert.equal((await connects(product)) - before, ADDRESSES, "none is lost by summing up");
    await product.does(["status"]);
  });

  test(`${THROUGH_POSTFIX} addresses through the real Postfix, while users read their mail`, async () => {
    const codes = new Set<number>();
    await eachOf([...Array(THROUGH_POSTFIX).keys()], 12, async (n) => {
      const from = `2001:db8:a${(n >> 8).toString(16)}00:${(n & 0xff).toString(16)}::1`;
      codes.add((await sendMail({ host: lab.attacker, from, recipient: "nobody@example.test" })).code);
    });
    assert.deepEqual([...codes], [550]);
    assert.match(await tryLogIn(lab.sender, "198.51.100.90", ANNA), /^OK/);
    assertBounded(product);
  });
}

/** Asks on one connection about each of these addresses, one after the other. */
async function ask(socketPath: string, from: number, to: number): Promise<void> {
  const socket = connect(socketPath);
  let next = from;
  socket.write(request(next));
  for await (const answer of socket) {
    assert.match(String(answer), /^action=.*\n\n$/);
    if (++next === to) break;
    socket.write(request(next));
  }
  assert.equal(next, to, "the guard answers all");
}

/** A connection as Postfix asks about it (SMTPD_POLICY_README). */
function request(n: number): string {
  const ip = `100.${64 + (n >> 16)}.${(n >> 8) & 0xff}.${n & 0xff}`;
  return `request=smtpd_access_policy\nprotocol_state=CONNECT\nprotocol_name=SMTP\nclient_address=${ip}\nclient_name=unknown\nclient_port=${1024 + (n % 60_000)}\nreverse_client_name=unknown\npolicy_context=smtp\n\n`;
}

/** Counts recorded connections, both those with their own event and those in a sum. */
async function connects(product: Product): Promise<number> {
  const summed = "SELECT coalesce(sum(count), 0) FROM event_summary WHERE type = 'CONNECT'";
  const [row] = await product.sqlite(`SELECT count(*) + (${summed}) FROM event WHERE type = 'CONNECT'`);
  return Number(row?.[0]);
}

function assertBounded(product: Product): void {
  const [pid = assert.fail("the guard does not run")] = product.pidsOf(/\/guard\.js/);
  const megabytes = resourcesOf(pid).memoryKb / 1024;
  assert.ok(megabytes < MOST_ANONYMOUS_MB, `${megabytes} MB`);
}
