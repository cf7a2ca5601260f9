import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { EventItem } from "../../src/admin/declare/items.ts";
import { type Stopped, stopService } from "./content.ts";
import { openDialog } from "./dialog.ts";
import { hold } from "./held.ts";
import { ANNA, assertAccepted, mailOver, openSmtp, openSubmissionAs, sendMail, serverFor } from "./mail.ts";
import { SERVER } from "./network.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** The defaults: limits.connections.concurrent, limits.mail.per_session, postfix_per_minute and max_size. */
const AT_ONCE = 10;
const A_SESSION = 5;
const A_MINUTE = 20;
const LARGEST_BYTES = 10 * 1024 * 1024;
const REFUSED = { ok: false, code: "ECONNREFUSED" };

/** For a server with default limits. */
export function limitsTests({ lab, product }: Running): void {
  test("the sixth mail of a session is answered by 421, does not count as an offence, and is accepted in the next session", async () => {
    const from = "198.51.100.90";
    const dialog = await openSmtp(lab.sender, from);
    for (let i = 1; i <= A_SESSION; i++) assert.equal((await mailOver(dialog, {})).code, 250, `mail ${i}`);
    const sixth = await mailOver(dialog, {});
    assert.equal(sixth.code, 421, sixth.lines.join());
    await dialog.closed(3_000);
    assert.equal((await sendMail({ host: lab.sender, from })).code, 250);
    assert.equal(await product.banOf(from), undefined);
    const isIt = ({ reason }: EventItem): boolean => reason === "session_limit";
    const event = await until("it is recorded", async () => (await product.events(from)).find(isIt));
    assert.equal(event.type, "EMAIL_BLOCKED");
  });

  test("a mail, even a user's, may have a hundred recipients; the rest must come with the next", async () => {
    using user = await openSubmissionAs(lab.sender, "198.51.100.89", ANNA);
    await user.ask(`MAIL FROM:<${ANNA}>`);
    for (let n = 1; n <= 100; n++) assert.equal((await user.ask(`RCPT TO:<r${n}@sender.test>`)).code, 250, `${n}`);
    assert.equal((await user.ask("RCPT TO:<r101@sender.test>")).code, 452);
  });

  describe("with the guard stopped", () => {
    let guard: Stopped;
    before(async () => {
      guard = await stopService(product, "guard");
    });
    after(() => guard.start());

    for (const [port, first, last] of [
      [25, "198.51.100.91", "198.51.100.91"],
      [465, "198.51.100.115", "198.51.100.115"],
      [587, "198.51.100.113", "198.51.100.113"],
      [993, "198.51.100.114", "198.51.100.114"],
      [25, "2001:db8:b000:1::1", "2001:db8:b000:1:a::2"],
      [993, "2001:db8:b000:4::1", "2001:db8:b000:4:a::2"],
    ] as const)
      test(`port ${port} takes ten connections at once from ${first}, and refuses the eleventh`, async (t) => {
        const to = serverFor(first);
        const [one] = await hold(t, lab.sender, first, Array<number>(AT_ONCE).fill(port));
        assert.deepEqual(await lab.sender.connect({ from: last, to, port }), REFUSED);
        one?.destroy();
        await until("there is room again", () => lab.sender.reaches({ from: last, to, port }));
      });

    test("ten connections over all ports are all that an address may have", async (t) => {
      const client = { from: "198.51.100.98", to: SERVER.v4 };
      await hold(t, lab.sender, client.from, [25, 465, 587, 993, 25, 465, 587, 993, 465, 993]);
      for (const port of [25, 993])
        assert.deepEqual(await lab.sender.connect({ ...client, port }), REFUSED, `port ${port}`);
    });

    test("Postfix takes twenty mails a minute from an address, and no more", async () => {
      const from = "198.51.100.92";
      // In parallel, because while the guard is down each step of a session waits for it.
      const sent = await Promise.all(Array.from({ length: AT_ONCE }, () => mailsOf(from, A_MINUTE / AT_ONCE)));
      assert.deepEqual(new Set(sent.flat()), new Set([250]));
      const next = await sendMail({ host: lab.sender, from });
      assert.equal(next.code, 450, next.lines.join());
      assert.match(next.lines.join(), /too much mail/);
      assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.93" })).code, 250, "another address");
    });

    test("a mail of exactly the largest size is accepted, and one byte more is not", async () => {
      assertAccepted(await sendMail({ host: lab.sender, from: "198.51.100.94", text: mailOf(LARGEST_BYTES) }));
      // Dovecot stores CR LF as LF.
      const stored = ["find", product.layout.mail, "-type", "f", "-size", `+${Math.floor(0.95 * LARGEST_BYTES)}c`];
      await until("it is in the mailbox", async () => (await lab.server.mustExec(stored)) !== "");
      const larger = await sendMail({ host: lab.sender, from: "198.51.100.94", text: mailOf(LARGEST_BYTES + 1) });
      assert.equal(larger.code, 552, larger.lines.join());
    });

    test("without the firewall too, Postfix refuses the eleventh connection", async () => {
      await lab.server.mustExec(["nft", "delete", "table", "inet", "ghostinbox"]);
      const from = "198.51.100.96";
      const dialogs = await Promise.all(
        Array.from({ length: AT_ONCE + 1 }, () => openDialog(lab.sender, { from, to: SERVER.v4, port: 25 })),
      );
      const banners = await Promise.all(dialogs.map(async (dialog) => (await dialog.reply()).code));
      for (const dialog of dialogs) dialog.close();
      const sorted = banners.toSorted((a, b) => a - b);
      assert.deepEqual(sorted, [...Array.from({ length: AT_ONCE }, () => 220), 421]);
    });

    async function mailsOf(from: string, count: number): Promise<readonly number[]> {
      using dialog = await openSmtp(lab.sender, from);
      const codes: number[] = [];
      for (let i = 0; i < count; i++) codes.push((await mailOver(dialog, {})).code);
      return codes;
    }
  });

  test("the guard, back again, counts connections as before", async () => {
    await until("its table is in force", async () => /ct count over 10/.test(await product.firewall()));
  });

  test("with limits.connections.per_port an address may hold ten connections at each port, but no eleventh", async (t) => {
    const key = "limits.connections.per_port";
    await product.configure(key, "true");
    t.after(async () => {
      await product.json(["config", "unset", key]);
      await product.json(["config", "apply", "--yes"]);
    });
    const client = { from: "198.51.100.99", to: SERVER.v4 };
    await hold(t, lab.sender, client.from, Array.from({ length: AT_ONCE }, () => [465, 993]).flat());
    for (const port of [465, 993])
      await until(`port ${port} refuses the eleventh`, async () => !(await lab.sender.reaches({ ...client, port })));
  });
}

/** A mail of this size, as RFC 1870 counts: including the final CR LF. */
function mailOf(bytes: number): string {
  const head = `From: <a@sender.test>\r\nTo: <${ANNA}>\r\nSubject: A large one\r\n\r\n`;
  const line = `${"x".repeat(76)}\r\n`;
  const left = bytes - head.length - "\r\n".length;
  const body = line.repeat(Math.floor(left / line.length));
  // All lines have the same length, except the last, which may be as long as two.
  return `${head}${body}${"y".repeat(left - body.length)}`;
}
