import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { SmallDisk } from "../lab/full-disk.ts";
import { logIn, openImap, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { Product } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const ANNA = "anna@example.test";

describe("disk, database and supervisor fail", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct({}, [ANNA], {
    toml: "",
    prepare: () => disk.mount(),
    release: () => disk.unmount(),
  });
  const disk = new SmallDisk(product);

  const healthy = async (): Promise<boolean> => {
    const notices = (await product.stats()).health.notices;
    return notices.every(({ code }) => code !== "database_unwritable");
  };
  const told = async (): Promise<boolean> => !(await healthy());
  const mailsAndLoginsGoOn = async (from: string): Promise<void> => {
    const sent = await sendMail({ host: lab.sender, from });
    assert.equal(sent.code, 250, `${sent.code} ${sent.lines.join(" ")}`);
    const imap = await openImap(lab.sender, from);
    assert.match((await logIn(imap, ANNA)) ?? "", /^OK/);
    imap.close();
  };
  const whole = async (): Promise<void> => {
    assert.deepEqual(await product.sqlite("PRAGMA integrity_check"), [["ok"]]);
  };

  test("a full disk: mail goes on, the owner is told, nothing half-written, and it recovers by itself", async () => {
    disk.fill();
    await until("the owner is told", async () => {
      await mailsAndLoginsGoOn("198.51.100.90");
      return told();
    });
    assert.equal((await product.cli(["ban", "198.51.100.91"])).code, 1, "a ban that cannot be kept is not promised");
    assert.doesNotMatch(await product.firewallBans(), /198\.51\.100\.91/);
    disk.free();
    await until("it has recovered, without any mail", healthy);
    await product.json(["ban", "198.51.100.91", "--for", "1h"]);
    await whole();
  });

  test("a locked database: mail goes on, the owner is told, and it recovers by itself", async () => {
    const [program = "", ...argv] = lab.server.inside(["sqlite3", product.layout.engineDb]);
    const locker = spawn(program, argv, { stdio: ["pipe", "pipe", "inherit"] });
    try {
      locker.stdin.write("BEGIN IMMEDIATE;\nSELECT 'locked';\n");
      await once(locker.stdout, "data");
      await until("the owner is told", async () => {
        await mailsAndLoginsGoOn("198.51.100.92");
        return told();
      });
    } finally {
      locker.stdin.end("ROLLBACK;\n.quit\n");
      await once(locker, "close");
    }
    await until("it has recovered", async () => {
      await sendMail({ host: lab.sender, from: "198.51.100.92" });
      return healthy();
    });
  });

  test("a second start says that one runs already, and harms nothing", async () => {
    const second = new Product(lab);
    assert.equal(await second.startInVain(), 1);
    assert.match(second.output, /^ghostinbox: .*(already|runs)/m);
    assert.doesNotMatch(second.output, / {4}at /, "no stack trace");
    await mailsAndLoginsGoOn("198.51.100.93");
  });

  test("after kill -9 of npm start, supervisor and all, the next start works, within seconds, and remembers", async () => {
    await product.stop("SIGKILL");
    const from = performance.now();
    await product.start();
    const tookMs = performance.now() - from;
    assert.ok(tookMs < 15_000, `the start took ${Math.round(tookMs)} ms`);
    assert.ok(await until("the ban is known", () => product.banOf("198.51.100.91")));
    assert.match(await product.firewallBans(), /198\.51\.100\.91/);
    await mailsAndLoginsGoOn("198.51.100.94");
  });

  test("kill -9 of runsvdir alone: the next start works", async () => {
    const [supervisor] = product.pidsOf(/\brunsvdir\b/);
    assert.ok(supervisor !== undefined);
    process.kill(supervisor, "SIGKILL");
    await until("npm start has seen it", () => product.output.includes("runsvdir ended"), 20_000);
    const from = performance.now();
    await product.stop();
    const tookMs = performance.now() - from;
    assert.ok(tookMs < 12_000, `it took ${Math.round(tookMs)} ms to end what ran`);
    await product.start();
    await mailsAndLoginsGoOn("198.51.100.95");
  });

  test("a damaged database: mail goes on, and the guard says in one sentence what to do", async () => {
    const service = `${product.layout.services}/guard`;
    await lab.server.mustExec(["sv", "-w", "10", "down", service]);
    // What lies in the write-ahead log would cover the damage.
    await lab.server.mustExec(["sqlite3", product.layout.engineDb, "PRAGMA wal_checkpoint(TRUNCATE)"]);
    const kept = readFileSync(product.layout.engineDb);
    damage(product.layout.engineDb);
    await lab.server.mustExec(["sv", "up", service]);
    try {
      const log = join(product.layout.log, "guard", "current");
      await until("the guard has said why", () =>
        /engine\.db is damaged .*put a copy of it back/.test(readFileSync(log, "utf8")),
      );
      assert.doesNotMatch(readFileSync(log, "utf8"), /\n\s+at /, "no stack trace");
      await mailsAndLoginsGoOn("198.51.100.96");
      assert.equal((await product.cli(["status"])).code, 3);
    } finally {
      // runsv starts it anew each second: no command is needed once the file is right.
      writeFileSync(product.layout.engineDb, kept);
    }
    await until("the guard is back", async () => (await product.cli(["status"])).code === 0);
    await whole();
  });
});

/** Overwrites the schema's page but for the header. */
function damage(path: string): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, Buffer.alloc(3_900, 0x5a), 0, 3_900, 100);
  } finally {
    closeSync(file);
  }
}
