import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, describe, test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { NftSession, TOOL_PATH, toolEnvironment } from "./run-nft.ts";

/** The real nft, in a separate network that ends with it. */
const ALONE = ["--user", "--map-root-user", "--net"];

function whyNot(): string | null {
  const options = { env: { PATH: TOOL_PATH }, encoding: "utf8" } as const;
  const tried = spawnSync("unshare", [...ALONE, "nft", "list", "tables"], options);
  return tried.status === 0 ? null : `nft cannot run in a separate network namespace: ${tried.stderr ?? "no unshare"}`;
}

test("the tools report errors in English, which are parsed", () => assert.equal(toolEnvironment()["LC_ALL"], "C"));

describe("a long-lived nft", { skip: whyNot() ?? false }, () => {
  const folder = temporaryDirectory();
  let session: NftSession;
  before(() => {
    const script = `#!/bin/sh\nPATH=${TOOL_PATH}\necho $$ > ${folder}/pid\nexec unshare ${ALONE.join(" ")} nft "$@"\n`;
    writeFileSync(join(folder, "nft"), script, { mode: 0o755 });
    session = new NftSession(folder);
  });
  afterEach(async () => session.close());

  const SET = "add table inet t; add set inet t s { type ipv4_addr; }";

  test("answers each line, reports errors, and continues", async () => {
    const fine = { type: "answered", errors: "" };
    assert.deepEqual(await session.run(SET), fine);
    for (let i = 0; i < 50; i++) assert.deepEqual(await session.run(`add element inet t s { 203.0.113.${i} }`), fine);
    const wrong = await session.run("add element inet t nowhere { 203.0.113.1 }");
    assert.equal(wrong.type, "answered");
    assert.match(wrong.errors, /^Error: No such file or directory/);
    const nonsense = await session.run("what is this");
    assert.equal(nonsense.type, "answered");
    assert.match(nonsense.errors, /syntax error/);
    assert.deepEqual(await session.run("delete element inet t s { 203.0.113.49 }"), fine);
    const twice = await session.run("delete element inet t s { 203.0.113.49 }");
    assert.ok(twice.type === "answered" && twice.errors !== "", "the same nft remembers the line before");
  });

  test("a line is carried out completely or not at all", async () => {
    await session.run(SET);
    const half = await session.run("add element inet t s { 203.0.113.1 }; add element inet t nowhere { 203.0.113.2 }");
    assert.ok(half.type === "answered" && half.errors !== "");
    const missing = await session.run("delete element inet t s { 203.0.113.1 }");
    assert.ok(missing.type === "answered" && missing.errors !== "");
  });

  test("a line to a killed nft is lost, and the next line starts a new one", async () => {
    assert.equal((await session.run(SET)).type, "answered");
    process.kill(Number(readFileSync(join(folder, "pid"), "utf8")), "SIGKILL");
    assert.deepEqual(await session.run("list tables"), { type: "lost", why: "nft ended" });
    assert.deepEqual(await session.run(SET), { type: "answered", errors: "" });
  });

  test("closing answers a waiting line", async () => {
    const waiting = session.run(SET);
    await session.close();
    assert.equal((await waiting).type, "lost");
  });
});
