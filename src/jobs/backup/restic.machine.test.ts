import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, globSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { makeCheap } from "../../../test/kit/cheap-repository.ts";
import { contentOf, put } from "../../../test/kit/files.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { done } from "../../../test/kit/reason-of.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { DAY_MS } from "../../core/time.ts";
import { NIGHTLY, Restic } from "./restic.ts";

const quiet = { host: "mail.example.test", tag: NIGHTLY, watch: () => undefined } as const;

/** Go's own settings would take a hundred on two cores, and more on more. */
const MOST_MB = 75;

/** Peak memory of the programs that this process started (VmHWM of proc(5)); 0 while there are none. */
function mostMemoryMb(program: string): number {
  for (const pid of contentOf(`/proc/self/task/${process.pid}/children`).split(" ")) {
    try {
      const status = contentOf(`/proc/${Number(pid)}/status`);
      if (status.startsWith(`Name:\t${program}\n`)) return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
    } catch {
      // It has just ended.
    }
  }
  return 0;
}

describe("restic", { skip: lacking({ installed: ["restic", "setpriv"] }) }, () => {
  const top = temporaryDirectory();
  const at = (...parts: readonly string[]): string => join(top, ...parts);
  const place = at("repository");
  const repository = { place, key: { text: "a key" }, cache: "", environment: {} };
  const restic = new Restic(repository);
  const source = at("source");
  put(join(source, "mail", "1"), "a mail\n".repeat(50_000));
  put(join(source, "backup.json"), '{"format":1}\n');
  let snapshot = "";

  test("an empty place is distinguished from a wrong key", async () => {
    assert.deepEqual(await restic.open(), { ok: false, code: "no_repository", reason: "it contains no backup" });
    assert.ok((await restic.create()).ok);
    assert.ok((await restic.open()).ok);
    const wrong = await new Restic({ ...repository, key: { text: "another" } }).open();
    assert.deepEqual(wrong, { ok: false, code: "wrong_key", reason: "the key does not open it" });
    makeCheap(place, repository.key.text);
  });

  test("a hundred megabytes of new data take less memory", async () => {
    cpSync(place, at("empty"), { recursive: true });
    const empty = new Restic({ ...repository, place: at("empty") });
    for (let i = 0; i < 100; i++) put(at("large", String(i)), randomBytes(1_000_000));
    let most = 0;
    const looking = setInterval(() => (most = Math.max(most, mostMemoryMb("restic"))), 20);
    try {
      assert.ok((await empty.backup(at("large"), quiet)).ok);
    } finally {
      clearInterval(looking);
    }
    assert.ok(most > 10 && most < MOST_MB, `${most} MB`);
  });

  test("a directory is backed up, listed, read and restored unchanged", async () => {
    const seen: number[] = [];
    const added = done(
      await restic.backup(source, { ...quiet, watch: ({ totalBytes }) => void seen.push(totalBytes) }),
    );
    const { files, bytes, addedBytes } = added.value;
    assert.deepEqual([files, bytes, addedBytes], [2, 350_013, 350_013]);
    snapshot = added.value.id;
    const listed = done(await restic.snapshots());
    const made = listed.value.map(({ id, host, tags }) => [id.slice(0, 8), host, tags]);
    assert.deepEqual(made, [[snapshot, quiet.host, [NIGHTLY]]]);
    assert.deepEqual(await restic.read(snapshot, "/backup.json"), { ok: true, value: '{"format":1}' });
    assert.deepEqual(await restic.size(snapshot), { ok: true, value: 350_013 });
    assert.deepEqual(await restic.sizeBelow(snapshot, "/mail", new AbortController().signal), {
      ok: true,
      value: 350_000,
    });
    assert.ok((await restic.restore(snapshot, { to: at("whole"), watch: () => undefined })).ok);
    for (const file of ["mail/1", "backup.json"])
      assert.equal(contentOf(at("whole", file)), contentOf(join(source, file)));
    assert.ok((await restic.restore(snapshot, { to: at("part"), paths: ["/mail"], watch: () => undefined })).ok);
    assert.deepEqual(globSync("**", { cwd: at("part") }).toSorted(), [".", "mail", "mail/1"]);
    assert.ok(seen.length > 0);
  });

  test("unchanged files are not stored again; old snapshots are removed, the latest stays", async () => {
    const again = await restic.backup(source, quiet);
    assert.ok(again.ok && again.value.addedBytes < 5_000, JSON.stringify(again));
    assert.ok((await restic.forget(DAY_MS)).ok);
    const listed = await restic.snapshots();
    assert.equal(listed.ok && listed.value.length, 2);
    assert.ok((await restic.check(true)).ok);
  });

  test("a night whose clock is months ahead costs no more backups than any other night", async () => {
    const aside = new Restic({ ...repository, place: at("wrong-clock") });
    assert.ok((await aside.create()).ok);
    makeCheap(at("wrong-clock"), repository.key.text);
    const env = { ...process.env, RESTIC_REPOSITORY: at("wrong-clock"), RESTIC_PASSWORD: repository.key.text };
    const backUp = (day: number, ...how: readonly string[]): void => {
      const time = new Date(Date.now() + day * DAY_MS).toISOString().slice(0, 19).replace("T", " ");
      const argv = ["backup", "--quiet", "--no-cache", "--time", time, ...how, source];
      execFileSync("setpriv", ["--", "restic", ...argv], { env });
    };
    const days = async (): Promise<readonly number[]> => {
      const listed = await aside.snapshots();
      return listed.ok ? listed.value.map((one) => 0 + Math.round((one.at - Date.now()) / DAY_MS)) : [];
    };
    const night = async (day: number): Promise<readonly number[]> => {
      backUp(day, "--tag", "ghostinbox");
      assert.ok((await aside.forget(3 * DAY_MS)).ok);
      return days();
    };
    await night(-205);
    await night(-204);
    // To restic, the clock is right now.
    assert.deepEqual(await night(0), [-205, -204, 0]);
    assert.deepEqual(await night(-203), [-204, -203, 0], "once it is set right");
    backUp(-400);
    assert.deepEqual(await night(-202), [-203, -202, 0], "another program's snapshot is none of ours");
    const printed = execFileSync("setpriv", ["--", "restic", "snapshots", "--json"], { env, encoding: "utf8" });
    const all: unknown = JSON.parse(printed);
    assert.ok(Array.isArray(all) && all.length === 4, "but stays");
  });

  test("the lock of a restic that was killed is dropped", async () => {
    const argv = ["backup", "--no-cache", "--stdin"];
    const env = { ...process.env, RESTIC_REPOSITORY: place, RESTIC_PASSWORD: repository.key.text };
    const killed = spawn("setpriv", ["--", "restic", ...argv], { env, stdio: ["pipe", "ignore", "ignore"] });
    // Without files that are still being written under temporary names.
    const locks = (): number => readdirSync(join(place, "locks")).filter((name) => /^[0-9a-f]{64}$/.test(name)).length;
    while (locks() === 0 && killed.exitCode === null) await pause(20);
    killed.kill("SIGKILL");
    await once(killed, "close");
    assert.equal(locks(), 1);
    assert.ok((await restic.backup(source, quiet)).ok);
    assert.equal(locks(), 0);
  });

  test("after a cut connection restic continues to read; a server out of reach is neither empty nor damaged", async () => {
    let [cut, left] = [/config/, 1];
    // restic's REST protocol, as far as it reads.
    const server = createServer(({ url: path = "", method, headers, socket }, response) => {
      if (cut.test(path) && left-- > 0) {
        socket.destroy();
        return;
      }
      const file = join(place, path.replace(/^\/data\/(..)/, "/data/$1/$1"));
      const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
      const names = () => readdirSync(file).map((name) => ({ name, size: statSync(join(file, name)).size }));
      const bytes = path.endsWith("/")
        ? Buffer.from(JSON.stringify(names()))
        : readFileSync(file).subarray(Number(from), to === "" ? undefined : Number(to) + 1);
      const type = { "Content-Type": "application/vnd.x.restic.rest.v2", "Content-Length": bytes.length };
      response.writeHead(headers.range === undefined ? 200 : 206, type);
      response.end(method === "HEAD" ? undefined : bytes);
    });
    const remote = new Restic({ ...repository, place: `rest:http://127.0.0.1:${await listenOnPort(server)}/` });
    const reason = "the connection was cut, or a file of it is damaged";
    assert.deepEqual(await remote.open(), { ok: false, code: "other", reason });
    [cut, left] = [/data\/./, 4];
    done(await remote.restore(snapshot, { to: at("remote"), watch: () => undefined }));
    server.close();
    assert.deepEqual(await remote.open(), { ok: false, code: "other", reason: "it cannot be reached" });
  });

  test("reports a missing snapshot, a full disk and a damaged pack, each in a few words", async () => {
    const missing = await restic.read("0123456789", "/backup.json");
    assert.deepEqual(missing, { ok: false, code: "other", reason: "it has no such snapshot" });
    assert.equal((await new Restic({ ...repository, place: "sftp:nobody@127.0.0.1:/x" }).open()).ok, false);
    const packs = globSync(join(place, "data/*/*"));
    const largest = packs.toSorted((a, b) => statSync(b).size - statSync(a).size)[0] ?? "";
    truncateSync(largest, 50);
    utimesSync(largest, 0, 0);
    assert.deepEqual(await restic.check(true), { ok: false, code: "damaged", reason: "it is damaged" });
    const restored = await restic.restore(snapshot, { to: at("damaged"), watch: () => undefined });
    assert.deepEqual(restored, { ok: false, code: "damaged", reason: "it is damaged" });
  });
});
