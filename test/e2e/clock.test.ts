import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { logIn, openImap, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { PASSWORD } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const ANNA = "anna@example.test";
const PHONE = "198.51.100.70";
const EARLIER = "198.51.100.220";
const LATER = "198.51.100.221";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe("a clock that is set back an hour", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct({}, [ANNA]);

  /** Starts the guard anew, by a clock that is so far off (faketime(1)). */
  async function restartGuard(offset: string): Promise<void> {
    const { node, services } = product.layout;
    const run = join(services, "guard", "run");
    const [library = ""] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
    assert.notEqual(library, "", "Debian's faketime is installed");
    // Under the guard's own user: what it shares among its processes belongs to whoever came first.
    const faked = `env LD_PRELOAD=${library} FAKETIME=${offset} FAKETIME_DONT_FAKE_MONOTONIC=1 ${node} `;
    const plain = readFileSync(run, "utf8").replace(/env LD_PRELOAD\S+ \S+ \S+ /, "");
    writeFileSync(run, offset === "" ? plain : plain.replace(`${node} `, faked));
    await lab.server.mustExec(["sv", "-w", "15", "restart", join(services, "guard")]);
    await until("the guard is back", async () => (await product.cli(["status"])).code === 0);
  }

  async function guessFive(from: string): Promise<void> {
    for (let i = 1; i <= 5; i++) {
      const dialog = await openImap(lab.attacker, from);
      await logIn(dialog, ANNA, `guess ${i}`);
      dialog.close();
    }
    await until(`${from} is banned`, () => isBanned(from));
  }

  /** By the kernel, whose clock nobody set back. */
  async function isBanned(ip: string): Promise<boolean> {
    return (await product.firewallBans()).includes(`${ip} timeout`);
  }

  async function signsIn(password: string): Promise<string> {
    const dialog = await openImap(lab.sender, PHONE);
    const answer = (await logIn(dialog, ANNA, password)) ?? "";
    dialog.close();
    return answer;
  }

  test("bans hold, attackers are banned, and nobody innocent is", async () => {
    assert.match(await signsIn(PASSWORD), /^OK/);
    await guessFive(EARLIER);
    for (let i = 0; i < 4; i++) assert.equal((await sendMail({ host: lab.sender, from: PHONE })).code, 250);

    await restartGuard("-1h");
    assert.ok(await product.banOf(EARLIER), "who was banned stays banned");
    assert.ok(await isBanned(EARLIER));
    await guessFive(LATER);
    const ban = (await product.events(LATER)).find(({ type }) => type === "BAN");
    assert.ok(Math.abs(Date.now() - HOUR_MS - Date.parse(ban?.at ?? "")) < MINUTE_MS, "the guard's clock is slow");
    for (let i = 0; i < 8; i++) assert.match(await signsIn("stale"), /^NO/);
    for (let i = 0; i < 4; i++) assert.equal((await sendMail({ host: lab.sender, from: PHONE })).code, 250);
    assert.match(await signsIn(PASSWORD), /^OK/);
    assert.ok(!(await isBanned(PHONE)));
  });

  test("once it is right again, a ban of the hour between is over, and the others hold", async () => {
    await restartGuard("");
    assert.ok(await isBanned(EARLIER));
    await until("the ban by the wrong clock ends", async () => !(await isBanned(LATER)));
    assert.match(await signsIn(PASSWORD), /^OK/);
  });
});
