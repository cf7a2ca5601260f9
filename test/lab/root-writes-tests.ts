import assert from "node:assert/strict";
import {
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { before, test } from "node:test";
import { OUR_USERS, startOutliver } from "./outliver.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** For a stopped server; starts it at the end. */
export function rootWritesTests({ lab, product }: Running): void {
  const keys = (): string => product.layout.dkimKeys;
  const keyFile = (): string => join(keys(), "example.test.ghostinbox.pem");
  const asRspamd = ["setpriv", "--reuid", "_rspamd", "--regid", "postfix", "--groups", "_rspamd"];
  const may = async (flag: string, path: string): Promise<boolean> =>
    (await lab.server.exec([...asRspamd, "test", flag, path])).code === 0;

  before(() => product.start());

  /** Gives Rspamd's user the keys, as earlier versions did. */
  async function giveKeysToRspamd(): Promise<void> {
    await lab.server.mustExec(["chown", "-R", "-h", "_rspamd:_rspamd", keys()]);
    await lab.server.mustExec(["chmod", "700", keys()]);
    for (const name of readdirSync(keys())) await lab.server.mustExec(["chmod", "600", join(keys(), name)]);
  }

  test("reads the keys that sign mail, and changes neither them nor the files beside them", async () => {
    assert.deepEqual(readdirSync(keys()), [basename(keyFile())]);
    assert.ok(await may("-r", keyFile()));
    for (const path of [keys(), keyFile()]) assert.ok(!(await may("-w", path)), path);
  });

  test("finds the same key after an upgrade, now root's, in a new file that it cannot have open already", async () => {
    const { ino } = lstatSync(keyFile());
    const key = readFileSync(keyFile(), "utf8");
    await product.stop();
    await giveKeysToRspamd();
    await product.start();
    assert.equal(readFileSync(keyFile(), "utf8"), key);
    assert.notEqual(lstatSync(keyFile()).ino, ino);
    assert.ok(await may("-r", keyFile()));
    for (const path of [keys(), keyFile()]) assert.ok(!(await may("-w", path)), path);
  });

  test("stops the start by putting a link in a key's place; the error says what to do", async () => {
    await product.stop();
    const aside = lab.path("key");
    renameSync(keyFile(), aside);
    symlinkSync("/etc/shadow", keyFile());
    assert.equal(await product.startInVain(), 1);
    assert.match(product.output, /pem is not a regular file, .* so root does not touch it: put a copy in its place\./);
    rmSync(keyFile());
  });

  test("gets no file of root's with a link where root is about to write; its processes end at that start, and no others; foreign files are reported", async (t) => {
    const secret = lab.path("secret");
    writeFileSync(secret, "only root's", { mode: 0o600 });
    symlinkSync(secret, `${keyFile()}.new`);
    await giveKeysToRspamd();
    const shadow = lab.path("shadow");
    writeFileSync(shadow, "");
    linkSync(shadow, join(product.layout.mail, "mail"));
    await lab.server.mustExec(["chown", "12345:12345", product.layout.mail]);
    const mine = await Promise.all([
      ...OUR_USERS.map((user) => startOutliver({ host: lab.server, user })),
      startOutliver({ host: lab.server, user: "_rspamd", file: join(product.layout.rspamdData, "open") }),
    ]);
    // Processes of a second server on this machine, and of Debian's own packages.
    const others = await Promise.all([
      ...OUR_USERS.map((user) => startOutliver({ host: lab.sender, user })),
      ...["_rspamd", "postfix", "debian-spamd"].map((user) => startOutliver({ host: lab.server, user })),
    ]);
    t.after(() => Promise.all([...mine, ...others].map((one) => one.end())));
    await product.start();
    assert.equal(readFileSync(secret, "utf8"), "only root's");
    assert.equal(lstatSync(secret).uid, 0);
    assert.ok(lstatSync(keyFile()).isFile());
    assert.deepEqual(readdirSync(keys()), [basename(keyFile())]);
    assert.ok(product.output.includes(`Ended ${mine.length} processes that an earlier start left behind.`));
    await until("those of this server have ended", () => mine.every((one) => !one.isThere()));
    assert.ok(others.every((one) => one.isThere()));
    const warns = /warning: 1 file below \S+mail still belongs to another user, such as \S+mail\/mail:/;
    assert.match(product.output, warns);
    assert.equal(lstatSync(shadow).uid, 0);
  });
}
