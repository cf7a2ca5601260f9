import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import * as z from "zod/mini";
import { put as writeQueueFile } from "../../../../../test/kit/files.ts";
import { ROOT } from "../../../../../test/kit/needs.ts";
import { commandLineOf, startGuard } from "../../../../../test/kit/test-guard.ts";
import type { KeeperCommand, KeeperReply, ListedMail } from "../../../../admin/declare/keeper.ts";

const ANNA = "anna@example.org";
const printed = z.object({ dropped: z.number(), kept: z.array(z.string()), stays: z.number(), others: z.number() });

describe("mail of an account is removed from the queue, but never without a copy", ROOT, () => {
  const { layout, run, does } = commandLineOf(import.meta.filename);
  let guard: Awaited<ReturnType<typeof startGuard>>;
  let queue: ListedMail[] = [];
  /** A mail that arrives while others are deleted. */
  let arriving: string | null = null;

  beforeEach(async () => {
    guard = await startGuard(layout);
    [queue, arriving] = [[], null];
    guard.keeperAnswers(obey);
    await does("incident open Anna");
  });
  afterEach(() => guard.stop());

  /** Puts a mail into the queue; if not `isThere`, its file cannot be found. */
  function put(id: string, place: "deferred/A" | "hold", { isThere = true } = {}): void {
    const queueName = place === "hold" ? "hold" : "deferred";
    const reported = { queue: queueName, at: queue.length + 1, sizeBytes: 1, sender: ANNA, nextTryAt: null };
    queue.push({ id, ...reported, recipientCount: 0, recipients: [] });
    if (isThere) writeQueueFile(join(layout.postfixQueue, place, id), id);
  }

  function obey(command: KeeperCommand): KeeperReply | null {
    if (command.verb === "list_mail") {
      const { ids, after, limit } = command;
      const fitting = queue.filter(({ id }) => ids.length === 0 || ids.includes(id));
      const rest = fitting.filter(({ at }) => at > (after?.at ?? -1)).slice(0, limit);
      return { ok: true, detail: "", queue: rest, total: fitting.length };
    }
    if (command.verb === "find_mail") {
      const held = queue.filter(({ queue: place }) => (place === "hold") === command.onHold);
      const named = held.filter(({ id }) => command.ids.includes(id) || command.senders.length > 0);
      const mails = named.map(({ id, at }) => ({ id, isHeld: command.onHold, at, recipients: 1 }));
      return { ok: true, detail: "", mails };
    }
    if (command.verb !== "delete_mail") return null;
    const before = queue.length;
    queue = queue.filter(({ id }) => !command.ids.includes(id));
    const count = before - queue.length;
    if (arriving !== null) put(arriving, "deferred/A");
    arriving = null;
    return { ok: true, detail: "", count };
  }

  async function drop() {
    const { code, out, err } = await run(`incident drop ${ANNA} --yes --json`);
    return { code, err, ...z.parse(printed, JSON.parse(out)) };
  }

  async function note(queueId: string, account: string): Promise<void> {
    const change = { type: "HOLD_MAIL", queueId, account, ip: null, recipientCount: 1, recipients: [] } as const;
    assert.ok(await guard.engine.audit(null, [change]));
  }

  const copies = (): readonly string[] => {
    const [id = ""] = readdirSync(layout.incidents);
    const folder = join(layout.incidents, id, "mails");
    return existsSync(folder) ? readdirSync(folder).toSorted() : [];
  };

  test("a bundle holds the copies, even if the queue cannot be listed", async () => {
    put("A1", "deferred/A");
    await drop();
    assert.match(await does("incident list"), /drop: Taking 1 mail of anna@\S+ out of the queue\.\n.* drop: /);
    guard.keeperAnswers(() => ({ ok: false, reason: "The keeper is down." }));
    const out = await does("incident investigate");
    assert.match(out, /^Missing: mails in the queue: /m);
    const bundle = /^(\S+) holds/.exec(out)?.[1] ?? "";
    assert.match(execFileSync("tar", ["-tzf", bundle], { encoding: "utf8" }), /^\.\/mails\/A1$/m);
  });

  test("removes held and other mail in batches, including mail that arrives in between", async () => {
    const ids = Array.from({ length: 150 }, (_, nth) => `A${1_000 + nth}`);
    for (const id of ids) put(id, "deferred/A");
    put("HELD1", "hold");
    await note("HELD1", ANNA);
    arriving = "ALATE";
    const all = [...ids, "HELD1", "ALATE"].toSorted();
    const { code, dropped, kept, stays, others } = await drop();
    assert.deepEqual([code, dropped, stays, others], [0, 152, 0, 0]);
    assert.deepEqual([kept.toSorted(), copies(), queue], [all, all, []]);
  });

  test("mail that cannot be copied or is held for another account stays", async () => {
    put("A0001", "deferred/A");
    put("A0002", "deferred/A", { isThere: false });
    put("HELD2", "hold");
    await note("HELD2", "bert@example.org");
    const { code, dropped, kept, stays, others } = await drop();
    assert.deepEqual([code, dropped, kept, stays, others], [1, 1, ["A0001"], 1, 1]);
    const left = queue.map(({ id }) => id);
    assert.deepEqual(left, ["A0002", "HELD2"]);
  });

  test("a failed command is reported together with what was done before", async () => {
    put("A0001", "deferred/A");
    guard.keeperAnswers((command) =>
      command.verb === "delete_mail" ? { ok: false, reason: "postsuper failed: no" } : obey(command),
    );
    const { code, dropped, kept, err } = await drop();
    assert.deepEqual([code, dropped, kept], [1, 0, ["A0001"]]);
    assert.match(err, /^Not all mail of anna@example\.org was taken out of the queue\. /);
    assert.deepEqual(copies(), ["A0001"]);
  });

  test("a disk failure halfway does not hide what was done before", async () => {
    for (let nth = 0; nth < 150; nth += 1) put(`A${1_000 + nth}`, "deferred/A");
    const folder = join(layout.incidents, readdirSync(layout.incidents)[0] ?? "");
    guard.keeperAnswers((command) => {
      if (command.verb === "delete_mail") {
        for (const name of ["mails", "timeline.jsonl"]) rmSync(join(folder, name), { recursive: true });
        writeQueueFile(join(folder, "mails"), "");
        mkdirSync(join(folder, "timeline.jsonl"));
      }
      return obey(command);
    });
    const { code, out, err } = await run(`incident drop ${ANNA} --yes`);
    assert.deepEqual([code, queue.length], [1, 50]);
    assert.match(out + err, /100 mails of anna@example\.org taken out of the queue; 100 kept/);
    assert.match(out + err, /Then it failed: .*mails.* could not be written into the timeline: EISDIR/s);
    assert.equal((await run("incident note Something")).code, 1, "a note that was not written is a failure");
  });
});
