import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { contentOf } from "../../../test/kit/files.ts";
import { makeMailQueue } from "../../../test/kit/mail-queue.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { userIds } from "../../host/machine/system-users.ts";
import { listProcesses } from "../../host/running/read-processes.ts";
import { USERS } from "../../settings/layout.ts";
import { reloadDovecot, reloadPostfix } from "./reload-by-signal.ts";

describe("a reload of Postfix", { skip: lacking({ root: true, installed: ["postfix"] }) }, () => {
  const layout = temporaryLayout();
  const { postfixConf, postfixQueue, postfixData } = layout;
  const postfix = (command: string) => runProgram("postfix", ["-c", postfixConf, command]);
  before(async () => {
    chmodSync(layout.data, 0o755);
    makeMailQueue(layout);
    const { uid, gid } = userIds("postfix");
    for (const name of ["active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "private", "trace"]) {
      mkdirSync(join(postfixQueue, name), { recursive: true });
      chownSync(join(postfixQueue, name), uid, gid);
    }
    for (const name of ["public", "maildrop"]) chownSync(join(postfixQueue, name), uid, gid);
    mkdirSync(join(postfixQueue, "pid"), { recursive: true });
    chownSync(postfixData, uid, gid);
    const main = join(postfixConf, "main.cf");
    appendFileSync(main, "inet_interfaces = loopback-only\nmaillog_file = /dev/null\nmaillog_file_prefixes = /dev\n");
    utimesSync(main, 0, 0);
    const services = "qmgr unix n - n 300 1 qmgr\npostlog unix-dgram n - n - 1 postlogd\n";
    writeFileSync(join(postfixConf, "master.cf"), services);
    const started = await postfix("start");
    assert.equal(started.code, 0, started.stderr);
  });
  after(() => postfix("stop"));

  /** Also undefined while a previous one is still ending. */
  function queueManager(): number | undefined {
    const all = listProcesses().filter(({ args, cwd }) => args[0] === "qmgr" && cwd === postfixQueue);
    return all.length === 1 ? all[0]?.pid : undefined;
  }
  async function running(): Promise<number> {
    await until(() => queueManager() !== undefined, "one queue manager runs");
    return queueManager() ?? assert.fail("it has ended");
  }

  test("has ended the previous queue manager, which would lose a flush", async () => {
    const former = await running();
    process.kill(former, "SIGSTOP");
    let isDone = false;
    const began = performance.now();
    const reload = reloadPostfix(layout).finally(() => {
      isDone = true;
    });
    const reported = await postfix("reload");
    assert.equal(reported.code, 0, reported.stderr);
    assert.ok(!isDone || performance.now() - began > 5_000, "it waits");
    process.kill(former, "SIGCONT");
    assert.equal(await reload, null);
    assert.ok(!existsSync(`/proc/${former}`));
    assert.notEqual(await running(), former);
  });

  test("waits only some seconds for one that hangs", async () => {
    const former = await running();
    process.kill(former, "SIGSTOP");
    try {
      assert.equal(await reloadPostfix(layout), null);
      assert.ok(existsSync(`/proc/${former}`));
    } finally {
      process.kill(former, "SIGCONT");
    }
  });

  test("a stopped server is reported", async () => {
    await postfix("stop");
    assert.match((await reloadPostfix(layout)) ?? "", /ended with code 1/);
  });
});

describe("a reload of Dovecot", { skip: lacking({ root: true, installed: ["dovecot"] }) }, () => {
  const layout = temporaryLayout();
  const { dovecotConf, dovecotBase } = layout;
  const log = join(layout.data, "dovecot.log");
  const directories = `base_dir = ${dovecotBase}\nstate_dir = ${dovecotBase}\nlog_path = ${log}\n`;
  const configure = (more = ""): void => writeFileSync(dovecotConf, `${directories}protocols =\nssl = no\n${more}`);
  /** The process has this name only once it has started. */
  const logger = async (): Promise<number> => {
    const found = () => listProcesses().find(({ args, parent }) => args[0] === "dovecot/log" && parent === master());
    await until(() => found() !== undefined, "the log process runs");
    return found()?.pid ?? assert.fail("it has ended");
  };
  const master = (): number => Number(contentOf(join(dovecotBase, "master.pid")));
  let dovecot: ChildProcess;
  before(async () => {
    chmodSync(layout.data, 0o755);
    for (const made of [join(dovecotConf, ".."), dovecotBase]) mkdirSync(made, { recursive: true });
    configure();
    dovecot = spawn("dovecot", ["-F", "-c", dovecotConf], { stdio: "ignore" });
    await until(() => existsSync(join(dovecotBase, "master.pid")), "Dovecot runs");
  });
  after(async () => {
    const ended = once(dovecot, "close");
    dovecot.kill();
    await ended;
  });

  test("ends once the master has read its configuration", async () => {
    for (const name of ["first", "second", "third"]) {
      const former = await logger();
      configure(`login_greeting = ${name}\n`);
      assert.equal(await reloadDovecot(layout), null);
      assert.notEqual(await logger(), former);
      assert.match(contentOf(log), /SIGHUP received - reloading configuration/);
    }
  });

  test("ends IMAP sessions that the master has forgotten", { skip: lacking({ users: [USERS.mail] }) }, async () => {
    const imap = join(layout.data, "imap");
    await runProgram("cp", ["/usr/bin/sleep", imap]);
    const session = spawn(imap, ["60"], userIds(USERS.mail));
    const ended = once(session, "exit");
    await once(session, "spawn");
    assert.equal(await reloadDovecot(layout), null);
    assert.deepEqual(await ended, [null, "SIGTERM"]);
  });

  test("returns the reason of a failure", async () => {
    assert.match((await reloadDovecot({ ...layout, dovecotConf: `${dovecotConf}.none` })) ?? "", /No such file/);
  });
});
