import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { textOrNothing } from "./read-text.ts";
import { lastLines, runAsOther, runProgram } from "./run-program.ts";

test("a program gets its input, and its output and exit code are returned", async () => {
  const ran = await runProgram("sh", ["-c", "cat; echo to stderr >&2; exit 3"], { input: "to stdin" });
  assert.deepEqual(ran, { code: 3, stdout: "to stdin", stderr: "to stderr\n" });
});

test("only our environment is passed, so that messages are in English", async () => {
  const ran = await runProgram("/usr/bin/env", [], { env: { ONLY: "this", TZ: "UTC" } });
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const variables = ran.stdout.trim().split("\n").toSorted();
  assert.deepEqual(variables, ["LC_ALL=C.UTF-8", "ONLY=this", path, "TZ=UTC"]);
});

test("no shell reads the arguments", async () => {
  assert.equal((await runProgram("echo", ["$(id)", "; id"])).stdout, "$(id) ; id\n");
});

test("a program that is missing, hangs or never stops printing fails", async () => {
  const failed = async (...[program, args, options]: Parameters<typeof runProgram>) => {
    const { code, stderr } = await runProgram(program, args, options);
    return [code, stderr];
  };
  assert.deepEqual(await failed("/nowhere/no-such-program", []), [127, "it is not installed"]);
  assert.deepEqual(await failed("sleep", ["60"], { timeoutMs: 50 }), [124, "it took longer than 0.05 s"]);
  const killed = [137, "it was killed (SIGKILL); the memory may have run out"];
  assert.deepEqual(await failed("sh", ["-c", "kill -KILL $$"]), killed);
  assert.deepEqual(await failed("false", []), [1, "it ended with code 1"]);
  assert.deepEqual(await failed("yes", []), [127, "it printed more than 1.0 MB"]);
  assert.ok((await runProgram("yes", [])).stdout.length <= 1024 * 1024);
});

test("a program that the kernel cannot start fails", async () => {
  const { code, stderr } = await runProgram("true", ["x".repeat(200_000)]);
  assert.deepEqual([code, stderr], [127, "spawn E2BIG"]);
  const uses = `
    import { openSync } from "node:fs";
    import { runProgram } from ${JSON.stringify(join(import.meta.dirname, "run-program.ts"))};
    import { NftSession } from ${JSON.stringify(join(import.meta.dirname, "..", "firewall", "run-nft.ts"))};
    try { for (;;) openSync("/dev/null"); } catch {}
    const [ran, answer] = [await runProgram("true", []), await new NftSession().run("x")];
    console.log(JSON.stringify([ran.code, ran.stderr, answer]));`;
  const argv = ["--nofile=200", process.execPath, "--input-type=module-typescript", "-e", uses];
  const why = "no file descriptor is free (EMFILE)";
  const full = await runProgram("prlimit", argv);
  assert.equal(full.stdout, `${JSON.stringify([127, why, { type: "lost", why }])}\n`, full.stderr);
});

test("a killed program is awaited, because it may write until its end", async () => {
  const [file, abort] = [join(temporaryDirectory(), "pid"), new AbortController()];
  const running = runProgram("sh", ["-c", `echo $$ >${file}; exec sleep 60`], { signal: abort.signal });
  await until(() => existsSync(file) && readFileSync(file, "utf8") !== "");
  const pid = readFileSync(file, "utf8");
  abort.abort();
  assert.equal((await running).code, 124);
  assert.equal(existsSync(`/proc/${pid.trim()}`), false);
  const late = await runProgram("sleep", ["60"], { signal: abort.signal });
  assert.equal(late.code, 124, "at once, if it was aborted before");
});

test("a program that ends without reading its input is judged by its exit code", async () => {
  assert.equal((await runProgram("true", [], { input: "x".repeat(1_000_000) })).code, 0);
});

test("input in pieces is streamed, no faster than the program takes it", async () => {
  let read = 0;
  function* pieces(): Generator<string> {
    for (; read < 1_000; read++) yield "x".repeat(100_000);
  }
  assert.equal((await runProgram("wc", ["-c"], { input: pieces() })).stdout, "100000000\n");
  read = 0;
  await runProgram("true", [], { input: pieces() });
  assert.ok(read < 100, `${read} pieces for a program that reads none`);
});

test("a program whose input cannot be read to its end is killed, so that it does not use partial input", async () => {
  function* broken(): Generator<string> {
    yield "the first half\n";
    throw new Error("the disk failed");
  }
  const ran = await runProgram("sh", ["-c", "cat; echo done"], { input: broken() });
  assert.equal(ran.code, 125);
  assert.equal(ran.stderr, "the disk failed");
  assert.doesNotMatch(ran.stdout, /done/);
});

test("a program run as another user leads its own session, so it cannot type into root's terminal", async () => {
  const script =
    "read -r pid comm state parent group session terminal rest </proc/self/stat; echo $((session - pid)) $terminal";
  assert.equal((await runAsOther(["--no-new-privs", "--", "sh", "-c", script])).stdout, "0 0\n");
});

const SOON = { timeout: patience(10_000) };

test("a program run as another user ends with its caller", async (t) => {
  const call = `
    import { runAsOther } from ${JSON.stringify(join(import.meta.dirname, "run-program.ts"))};
    await runAsOther(["--no-new-privs", "--", "sleep", "60"]);`;
  const caller = spawn(process.execPath, ["--input-type=module-typescript", "-e", call], { stdio: "inherit" });
  const children = `/proc/${caller.pid}/task/${caller.pid}/children`;
  const runs = await t.waitFor(() => {
    const commandLine = `/proc/${readFileSync(children, "utf8").trim()}/cmdline`;
    assert.match(readFileSync(commandLine, "utf8"), /^sleep/);
    return commandLine;
  }, SOON);
  caller.kill("SIGINT");
  await t.waitFor(() => assert.equal(textOrNothing(runs), ""), SOON);
});

test("lastLines joins the last lines, stderr first", () => {
  const said = { code: 1, stdout: "one\n\ntwo\n", stderr: "three\n" };
  assert.equal(lastLines(said), "three; one; two");
  assert.equal(lastLines(said, 1), "two");
});
