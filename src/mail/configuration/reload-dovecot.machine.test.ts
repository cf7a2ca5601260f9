import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { listProcesses } from "../../host/running/read-processes.ts";
import { layoutOf } from "../../settings/layout.ts";
import { reloadDovecot } from "./reload-by-signal.ts";

describe("a reload of Dovecot", { skip: lacking({ root: true, installed: ["dovecot"] }) }, () => {
  const layout = layoutOf(temporaryDirectory());
  const { dovecotConf, dovecotBase } = layout;
  const log = join(layout.data, "dovecot.log");
  const configure = (more = ""): void =>
    writeFileSync(
      dovecotConf,
      `base_dir = ${dovecotBase}\nstate_dir = ${dovecotBase}\nlog_path = ${log}\nprotocols =\nssl = no\n${more}`,
    );
  const logger = () =>
    listProcesses().find(({ args, parent }) => args[0] === "dovecot/log" && parent === master())?.pid;
  const master = (): number => Number(readFileSync(join(dovecotBase, "master.pid"), "utf8"));
  let dovecot: ChildProcess;
  before(async () => {
    chmodSync(layout.data, 0o755);
    for (const made of [join(dovecotConf, ".."), dovecotBase]) mkdirSync(made, { recursive: true });
    configure();
    dovecot = spawn("dovecot", ["-F", "-c", dovecotConf], { stdio: "ignore" });
    while (!existsSync(join(dovecotBase, "master.pid")) || logger() === undefined) await pause(10);
  });
  after(async () => {
    const ended = once(dovecot, "close");
    dovecot.kill();
    await ended;
  });

  test("ends once the master has read its configuration", async () => {
    for (const name of ["first", "second", "third"]) {
      const former = logger();
      configure(`login_greeting = ${name}\n`);
      assert.equal(await reloadDovecot(layout), null);
      assert.ok(former !== undefined && logger() !== former, `${former}`);
      assert.match(readFileSync(log, "utf8"), /SIGHUP received - reloading configuration/);
    }
  });

  test("returns the reason of a failure", async () => {
    assert.match((await reloadDovecot({ ...layout, dovecotConf: `${dovecotConf}.none` })) ?? "", /No such file/);
  });
});
