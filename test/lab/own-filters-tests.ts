import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { CHECKOUT, copiedCheckout } from "./checkout.ts";
import { bannedByJail, fail2banRuns, lengthMs } from "./fail2ban.ts";
import type { Lab } from "./lab.ts";
import { openSmtp } from "./mail.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** The line after the time, as postlogd(8) writes it: host, program, message. */
const SMTPD = "^\\s*\\S+ postfix/smtpd\\[\\d+\\]: ";
const filter = (regex: string): string => `[Definition]\nfailregex = ${regex}\n`;

const directoryOf = (lab: Lab): string => join(copiedCheckout(lab), "security", "filter.d");

/** Writes the files that exist at the start: a filter, and a jail file with an address. */
export function dropFirstFilter({ lab }: Pick<Running, "lab">): void {
  writeFileSync(join(directoryOf(lab), "..", "jail.local"), "[DEFAULT]\ndestemail = anna@example.test\n");
  const text = filter(`${SMTPD}lost connection after EHLO from [^[]*\\[<HOST>\\]$`);
  writeFileSync(join(directoryOf(lab), "vanished.conf"), text);
}

/** For a server that runs from a copy of the checkout, with Fail2ban and the first filter. */
export function ownFiltersTests({ lab, product }: Running): void {
  const directory = directoryOf(lab);
  before(() => fail2banRuns(product));

  function write(name: string, regex: string): void {
    writeFileSync(join(directory, `${name}.conf`), filter(regex));
  }

  /** Three sessions that end after one command. */
  async function hangUp(from: string, command: string): Promise<void> {
    for (let i = 0; i < 3; i++) (await openSmtp(lab.attacker, from, [command])).close();
  }

  async function isBannedBy(jail: string, from: string): Promise<void> {
    assert.equal(lengthMs(await bannedByJail(product, jail, from, ": 3 within 10m, limit 3$")), 600_000);
  }

  const jails = (): Promise<string> =>
    until("the jails run", async () => {
      const ran = await product.cli(["fail2ban", "status"]);
      return ran.code === 0 && ran.stdout;
    });
  const runs = (jail: string) => until("its jail runs", async () => (await jails()).includes(jail));
  const tests = (name: string) => product.does(["fail2ban", "test", name, product.layout.mailLog]);
  const restart = async () => JSON.stringify(await product.json(["fail2ban", "restart"]));

  test("alerts go to destemail of a jail file that is there at the start", async () => {
    const shown = JSON.stringify(await product.json(["config", "show"]));
    assert.match(shown, /"key":"alerts\.email","value":"\[\\"anna@example\.test\\"\]","from":"file"/);
  });

  test("a filter that is there at the start becomes a jail, and bans on real traffic", async () => {
    await runs("vanished");
    await until("the API reports it", async () => {
      const { status, text } = await product.api("GET", "/api/v1/fail2ban");
      return status === 200 && /^\{"enabled":true,.*"name":"vanished","watched":0/.test(text);
    });
    await hangUp("198.51.100.200", "EHLO client.test");
    await isBannedBy("vanished", "198.51.100.200");
  });

  test("a filter that is added later is tested by command, and takes effect after the restart", async () => {
    write("curious", `${SMTPD}lost connection after NOOP from [^[]*\\[<HOST>\\]$`);
    await hangUp("198.51.100.201", "NOOP");
    assert.match(await tests("curious"), /198\.51\.100\.201/, "whom its jail would ban");
    assert.equal(await product.banOf("198.51.100.201"), undefined, "a test bans no address");
    assert.match(await restart(), /"own":\["curious","vanished"\]/);
    await runs("curious");
    await hangUp("198.51.100.202", "NOOP");
    await isBannedBy("curious", "198.51.100.202");
  });

  test("a filter that attackers could abuse is refused, with its path in the checkout; the others are used", async () => {
    write("gullible", "reject: .* from .*\\[<HOST>\\]");
    await product.fails(["fail2ban", "test", "gullible", product.layout.mailLog], /attackers choose who is banned/);
    assert.match(await restart(), /"refused":\[\{"file":"[^"]*gullible\.conf"/);
    const report = await jails();
    assert.ok(report.includes(`${join(directory, "gullible.conf")} was refused`), report);
    await hangUp("198.51.100.203", "NOOP");
    await isBannedBy("curious", "198.51.100.203");
  });

  test("a filter in the data directory bans too, and replaces one of the same name", async () => {
    for (const [name, command] of Object.entries({ curious: "HELO", restless: "RSET" })) {
      const text = filter(`${SMTPD}lost connection after ${command} from [^[]*\\[<HOST>\\]$`);
      writeFileSync(join(product.layout.fail2banFilters, `${name}.conf`), text);
    }
    // 198.51.100.205 relays for honest-servers-tests.ts on the same server.
    const [tried, banned] = ["198.51.100.198", "198.51.100.199"];
    await hangUp(tried, "RSET");
    assert.match(await tests("restless"), new RegExp(tried));
    assert.match(await restart(), /"own":\["curious","vanished","restless"\]/);
    await runs("restless");
    await hangUp("198.51.100.204", "HELO client.test");
    await isBannedBy("curious", "198.51.100.204");
    await hangUp(banned, "RSET");
    await isBannedBy("restless", banned);
  });

  test("none of this added a filter to the checkout itself", () => {
    const own = join(CHECKOUT, "security", "filter.d");
    assert.deepEqual(existsSync(own) ? readdirSync(own).filter((name) => name.endsWith(".conf")) : [], []);
  });
}
