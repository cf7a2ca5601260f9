import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { accountName } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import type { JudgedFor } from "../../surfaces/api/ports.ts";
import { createPasswordThread } from "./passwords.ts";

const owner = accountName("anna@example.test");
const one = (password: string) => ({ owner, password });
const asked = (...passwords: readonly string[]) => passwords.map(one);

const owns: JudgedFor = { caller: "session owner", isAdministrator: true };
/** The user of a mailbox. */
const user = (caller: string): JudgedFor => ({ caller, isAdministrator: false });

/** A thread that runs different code. */
function played(code: string): URL {
  const program = `import { parentPort, workerData } from "node:worker_threads";\n${code}`;
  return new URL(`data:text/javascript,${encodeURIComponent(program)}`);
}

const busy = (message: string | RegExp) => ({ name: "JudgesBusy", message });

/** Enough for a thread on a busy machine. */
const LONG = { mostWaiting: 2, judgeMs: 60_000 };
/** Runs forever without using a processor. */
const WAITS = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";
const EACH = "for (const { password } of workerData) parentPort.postMessage(password);";

test("judges passwords as on the command line, each separately", async () => {
  const thread = createPasswordThread(LONG);
  const passwords = asked("password1234", "my-anna-password", "lantern gravel otter 71", "short");
  const [weak, named, good, short] = await thread.judgeSome(passwords, owns, LONG.judgeMs);
  assert.match(weak ?? "", /too easy to guess/);
  assert.match(named ?? "", /name of the account/);
  assert.equal(good, null);
  assert.match(short ?? "", /too short/);
  assert.deepEqual(await thread.judgeSome([], owns, LONG.judgeMs), []);
});

test("judges one password after another; when too many wait, the next is refused", async () => {
  const thread = createPasswordThread(LONG, played(EACH));
  const both = [thread.judge(one("one"), user("anna")), thread.judge(one("two"), user("bert"))];
  await assert.rejects(thread.judge(one("three"), user("cora")), busy("too many passwords are waiting"));
  assert.deepEqual(await thread.judgeSome(asked("three"), user("cora"), LONG.judgeMs), []);
  assert.deepEqual(await Promise.all(both), ["one", "two"]);
  assert.equal(await thread.judge(one("four"), user("cora")), "four");
});

test("a caller has one place in the queue, and users of mailboxes neither take the administrator's place nor delay it", async () => {
  const thread = createPasswordThread(LONG, played(`if (workerData[0].password === "endless") for (;;); ${EACH}`));
  const order: (string | null)[] = [];
  const judged = (password: string, by: JudgedFor) =>
    thread.judge(one(password), by).then((reported) => order.push(reported));
  const endless = assert.rejects(judged("endless", user("anna")), busy("an administrator's password comes first"));
  const bert = judged("bert", user("bert"));
  await assert.rejects(thread.judge(one("again"), user("anna")), busy(/same caller/));
  await Promise.all([endless, bert, judged("owner", owns), judged("second", { ...owns, caller: "session second" })]);
  assert.deepEqual(order, ["owner", "second", "bert"]);
});

test("a thread that dies or fails judges nothing, one that hangs is ended, and the next one judges", async () => {
  for (const [code, message] of [
    ["process.exit(3);", /ended with 3/],
    ['throw new Error("broken");', /broken/],
  ] as const)
    await assert.rejects(createPasswordThread(LONG, played(code)).judge(one("x"), owns), busy(message));
  const hanging = played(`if (workerData[0].password === "hang") for (;;); ${EACH}`);
  const thread = createPasswordThread(LONG, hanging);
  assert.deepEqual(await thread.judgeSome(asked("hang"), owns, 100), []);
  assert.equal(await thread.judge(one("good"), owns), "good");
  const hasty = createPasswordThread({ mostWaiting: 1, judgeMs: 100 }, hanging);
  await assert.rejects(hasty.judge(one("hang"), owns), busy(/time is up/));
});

test("of many passwords, those judged in time are returned", async () => {
  const ending = played('parentPort.postMessage("first"); parentPort.postMessage(null);');
  const judged = await createPasswordThread(LONG, ending).judgeSome(asked("a", "b", "c"), owns, LONG.judgeMs);
  assert.deepEqual(judged, ["first", null]);
});

test("a caller whose time ended while waiting starts no thread", async () => {
  const ran = join(temporaryDirectory(), "ran");
  const hanging = `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(ran)}, workerData[0].password); ${WAITS}`;
  const thread = createPasswordThread({ mostWaiting: 2, judgeMs: 1_000 }, played(hanging));
  const first = assert.rejects(thread.judge(one("a"), user("anna")), busy(/time is up/));
  assert.deepEqual(await thread.judgeSome(asked("b"), user("bert"), 50), []);
  await first;
  assert.equal(readFileSync(ran, "utf8"), "a");
});
