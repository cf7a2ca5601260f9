import assert from "node:assert/strict";
import { test } from "node:test";
import { elderParts } from "../../src/mail/logs/log-follower.ts";
import { parseMailLine } from "../../src/mail/logs/log-line.ts";
import { wholeLog } from "./log-files.ts";
import { openSmtp, sendMail } from "./mail.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** For a server that rotates its logs every few mails, without limits for the client. */
export function logsSetAsideTests({ lab, product }: Running): void {
  /** Postfix warns of a client that speaks another protocol. */
  const warn = async () => (await openSmtp(lab.sender, "198.51.100.66", ["GET / HTTP/1.1"])).close();

  test("logs rotate in the middle of a burst, and the guard is killed: nothing is lost or doubled", async () => {
    const many = 120;
    const before = elderParts(product.layout.mailLog).length;
    const send = async (from: number): Promise<void> => {
      for (let n = from; n < many; n += 4) {
        const text = `From: <a@sender.test>\r\nMessage-ID: <burst-${n}@sender.test>\r\n\r\nHello.`;
        assert.equal((await sendMail({ host: lab.sender, from: "198.51.100.65", text })).code, 250, `mail ${n}`);
        if (n === many / 2) await product.kill(/\/guard\.js/);
      }
    };
    await warn();
    await Promise.all([0, 1, 2, 3].map(send));
    const all = (type: string, isOne: (details: string) => boolean): Promise<readonly string[]> => {
      const find = async (): Promise<readonly string[] | null> => {
        const rows = await product.sqlite(`SELECT details FROM event WHERE type = '${type}' ORDER BY id`);
        const found = rows.map(([details = ""]) => details).filter(isOne);
        return found.length >= many ? found : null;
      };
      return until(`${many} are ${type}`, find, 30_000);
    };
    const queued = await all("EMAIL_QUEUED", (details) => details.includes("<burst-"));
    assert.equal(new Set(queued.map((details) => /<burst-\d+@/.exec(details)?.[0])).size, many);
    assert.equal(queued.length, many);
    const ids = queued.map((details) => /^queue_id=(\w+)/.exec(details)?.[1] ?? "");
    const delivered = await all("EMAIL_DELIVERED", (details) => ids.some((id) => details.includes(id)));
    assert.equal(delivered.length, many);
    assert.ok(elderParts(product.layout.mailLog).length >= before + 2, "the log was set aside more than once");
    const ends = (line: string): boolean => ids.some((id) => line.endsWith(`${id}: removed`));
    // The last line of a mail comes after that of its delivery.
    // Each rotation reloads Postfix, after which a mail that was just delivered waits for the next queue run.
    const endsLogged = async (): Promise<readonly string[] | null> => {
      await lab.server.exec(["postqueue", "-c", product.layout.postfixConf, "-f"]);
      const lines = wholeLog(product.layout.mailLog).split("\n");
      return lines.filter(ends).length >= many ? lines : null;
    };
    const log = await until("the log holds the end of each mail", endsLogged);
    assert.equal(log.filter(ends).length, many);
    const worse = log.filter((line) => (parseMailLine(line)?.severity ?? "info") !== "info");
    assert.notEqual(worse.length, 0);
    await until("mail.warn holds each warning once", () => {
      const written = wholeLog(product.layout.mailWarn).split("\n");
      return written.filter((line) => line !== "").join("\n") === worse.join("\n");
    });
  });
}
