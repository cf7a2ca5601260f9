import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { listenOnSocket } from "../../../test/kit/local-server.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { systemClock } from "../../adapters/machine/clock.ts";
import { layoutOf } from "../../settings/layout.ts";
import { ContentWatch, SpamPreferenceFiles } from "./watch-content.ts";

describe("files of allowed senders", () => {
  test("are written where spamd looks, and again only when a list changes", () => {
    const directory = temporaryDirectory();
    const lists = new Map([["anna@example.org", ["bea@friend.example"]]]);
    const files = new SpamPreferenceFiles(directory, () => lists);
    files.refresh();
    const file = join(directory, "example.org", "anna", "user_prefs");
    assert.match(readFileSync(file, "utf8"), /bea@friend\.example/);
    utimesSync(file, 1_000, 1_000);
    files.refresh();
    assert.equal(statSync(file).mtimeMs, 1_000_000);
    lists.set("anna@example.org", ["*@other.example"]);
    files.refresh();
    assert.match(readFileSync(file, "utf8"), /\*@other\.example/);
    lists.delete("anna@example.org");
    files.refresh();
    assert.ok(!existsSync(file));
  });

  test("that could not be written are tried again", () => {
    const directory = join(temporaryDirectory(), "spam");
    writeFileSync(directory, "a file where the directory should be");
    const files = new SpamPreferenceFiles(directory, () => new Map([["anna@example.org", ["bea@friend.example"]]]));
    assert.throws(() => files.refresh(), /EEXIST|ENOTDIR/);
    rmSync(directory);
    files.refresh();
    assert.ok(existsSync(join(directory, "example.org", "anna", "user_prefs")));
  });
});

describe("the watch over content", () => {
  const start = (spam: boolean, refresh: () => void = () => undefined) => {
    const layout = layoutOf(temporaryDirectory());
    const notices = new NoticeBoard();
    const warned: string[] = [];
    const log = { info: assert.fail, error: assert.fail, warn: (says: string) => warned.push(says) };
    const counted = { authors: 0 };
    const authors = { refresh: () => (counted.authors += 1) };
    const parts = { layout, notices, log, preferences: { refresh }, authors, spam };
    return { layout, notices, warned, counted, parts };
  };

  test("a list that cannot be written is noted and keeps no other from being written", () => {
    const { parts, warned, counted } = start(false, () => {
      throw new Error("disk full");
    });
    const watch = new ContentWatch({ ...parts, clock: new HandClock() });
    watch.start();
    watch.stop();
    assert.deepEqual(warned, ["The lists of allowed senders could not be written; it is tried again."]);
    assert.equal(counted.authors, 1);
  });

  test("spamd is asked where it runs, and its silence becomes a notice", { timeout: 30_000 }, async (t) => {
    const { layout, parts, notices } = start(true);
    // Half a minute of this clock goes by in a second.
    const from = systemClock.now();
    const hurried = new HandClock(from);
    const timer = setInterval(() => hurried.advance(3_000), 100);
    t.after(() => clearInterval(timer));
    const watch = new ContentWatch({ ...parts, clock: hurried });
    t.after(() => watch.stop());
    watch.start();
    await t.waitFor(() => assert.match(notices.raised.get("spam_filter_down") ?? "", /spamd does not listen/), {
      timeout: 10_000,
    });
    const spamd = createServer((socket) => socket.once("data", () => socket.end("SPAMD/1.5 0 PONG\r\n")));
    await listenOnSocket(spamd, layout.spamHeadSocket);
    await t.waitFor(() => assert.equal(notices.raised.size, 0), { timeout: 10_000 });
    rmSync(layout.spamHeadSocket);
  });

  test("without SpamAssassin nothing is asked", async (t) => {
    const { layout, parts, notices } = start(false);
    let asked = 0;
    await listenOnSocket(
      createServer(() => (asked += 1)),
      layout.spamHeadSocket,
    );
    const watch = new ContentWatch({ ...parts, clock: new HandClock() });
    watch.start();
    watch.stop();
    // Connections are accepted in their order: one of the watch would come before ours.
    const ours = connect(layout.spamHeadSocket);
    t.after(() => ours.destroy());
    await t.waitFor(() => assert.ok(asked > 0));
    assert.equal(asked, 1);
    assert.equal(notices.raised.size, 0);
  });
});
