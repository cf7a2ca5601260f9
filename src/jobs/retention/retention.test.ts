// Invariant: Retention removes no mail under legal hold, and none before it was in its folder for the rule's time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accountName, keepRule } from "../../../test/kit/samples.ts";
import { DAY_MS, MINUTE_MS } from "../../core/time.ts";
import { type LegalHold, type MailFolders, planRetention, type RetentionRules, runRetention } from "./retention.ts";

const NOW = Date.UTC(2026, 10, 20);
const [ANNA, BERT] = [accountName("anna@example.org"), accountName("bert@example.org")];

/** Mails by account and folder, each with its age in days; a folder's name is its id until `names` has another. */
function mailboxes(contents: Readonly<Record<string, Record<string, number[]>>>, broken?: string) {
  const find = (account: string, guid: string): number[] => contents[account]?.[guid] ?? assert.fail(guid);
  const amount = ({ length }: readonly number[]) => ({ mails: length, bytes: 10 * length });
  const isBefore = (at: number) => (days: number) => NOW - days * DAY_MS < at;
  const names = new Map<string, string>();
  /** What happens while the mail of a folder is counted. */
  const during = { count: (_account: string, _folder: string): unknown => undefined };
  const mail: MailFolders = {
    accounts: () => Promise.resolve(Object.keys(contents).map(accountName)),
    folders: async (account) => {
      if (account === broken) throw new Error("no such home");
      const folders = Object.entries(contents[account] ?? {});
      return folders.map(([guid, mails]) => ({ name: names.get(guid) ?? guid, guid, ...amount(mails) }));
    },
    cameBefore: async (account, { guid }, at) => {
      during.count(account, guid);
      return amount(find(account, guid).filter(isBefore(at)));
    },
    expunge: (account, { guid }, at) => {
      const mails = find(account, guid);
      mails.splice(0, mails.length, ...mails.filter((days) => !isBefore(at)(days)));
      return Promise.resolve();
    },
  };
  return { mail, contents, names, during };
}

const rulesOf = (texts: readonly string[], held: readonly string[] = []) => ({
  rules: texts.map(keepRule),
  rulesNow: () => texts.map(keepRule),
  holds: (): readonly LegalHold[] => held.map((account) => ({ account, since: "", reason: "" })),
  times: {},
});

/** The same, with each present folder seen under its rule long ago. */
async function oldRules(mail: MailFolders, ...given: Parameters<typeof rulesOf>): Promise<RetentionRules> {
  const rules = rulesOf(...given);
  return { ...rules, times: (await runRetention(mail, rules, NOW - 5_000 * DAY_MS)).times };
}

const removedBy = async (mail: MailFolders, rules: RetentionRules, at = NOW) =>
  (await runRetention(mail, rules, at)).removed;

test("removes mail past its time, and nothing else", async () => {
  const { mail, contents } = mailboxes({
    [ANNA]: { INBOX: [400], Trash: [31, 29, 1], "Trash.old": [40], Junk: [8, 6] },
    [BERT]: { Trash: [31], Junk: [8] },
  });
  const rules = await oldRules(mail, ["Trash 30d", `${ANNA} Junk 7d`]);
  assert.deepEqual(await removedBy(mail, rules), { mails: 4, bytes: 40, accounts: 2, failure: null });
  assert.deepEqual(contents, {
    [ANNA]: { INBOX: [400], Trash: [29, 1], "Trash.old": [], Junk: [6] },
    [BERT]: { Trash: [], Junk: [8] },
  });
});

test("mail of a folder that comes under a rule stays for the rule's time, whatever its age", async () => {
  const { mail, contents, names } = mailboxes({ [ANNA]: { Archive: [900, 2], Trash: [31] } });
  const rules = await oldRules(mail, ["Trash 30d"]);
  // Mail programs delete a folder with IMAP's RENAME, which keeps the times of its mails.
  names.set("Archive", "Trash.Archive");
  const first = await runRetention(mail, rules, NOW);
  assert.equal(first.removed.mails, 1);
  const again = { ...rules, times: first.times };
  assert.equal((await removedBy(mail, again, NOW + 30 * DAY_MS - 1)).mails, 0);
  const [planned] = await planRetention(mail, again, { at: NOW + DAY_MS, until: NOW + 30 * DAY_MS });
  assert.deepEqual([planned?.from, planned?.due.mails, planned?.later.mails], [NOW + 30 * DAY_MS, 0, 2]);
  assert.equal((await removedBy(mail, again, NOW + 30 * DAY_MS)).mails, 2);
  assert.deepEqual(contents[ANNA], { Archive: [], Trash: [] });
});

test("a rule that was just set, or is used for the first time, removes nothing", async () => {
  const { mail } = mailboxes({ [ANNA]: { INBOX: [900] } });
  const before = await oldRules(mail, ["Trash 30d"]);
  assert.equal((await removedBy(mail, { ...rulesOf(["* 1d"]), times: before.times })).mails, 0);
  assert.equal((await removedBy(mail, rulesOf(["* 1d"]))).mails, 0);
  assert.equal((await removedBy(mail, await oldRules(mail, ["* 1d"]))).mails, 1);
});

test("a rule's new duration keeps the folder's start; an account's own rule and a folder that was gone start over", async () => {
  const { mail } = mailboxes({ [ANNA]: { Trash: [31] } });
  const { times } = await oldRules(mail, ["Trash 30d"]);
  const run = (rule: readonly string[], since = times) => runRetention(mail, { ...rulesOf(rule), times: since }, NOW);
  const own = await run(["Trash 30d", `${ANNA} Trash 7d`]);
  const back = await run(["Trash 7d"], (await run(["Junk 7d"])).times);
  const shorter = await run(["Trash 7d"], (await run(["Trash 40d"])).times);
  assert.deepEqual(
    [own, back, shorter].map(({ removed }) => removed.mails),
    [0, 0, 1],
  );
});

test("a time noted while the clock was ahead does not keep mail forever", async () => {
  const { mail } = mailboxes({ [ANNA]: { Trash: [8] } });
  const rules = rulesOf(["Trash 7d"]);
  const ahead = await runRetention(mail, rules, NOW + 900 * DAY_MS);
  const { times } = await runRetention(mail, { ...rules, times: ahead.times }, NOW);
  assert.equal((await removedBy(mail, { ...rules, times }, NOW + 7 * DAY_MS)).mails, 1);
});

test("an account with very many folders does not delay the removal of other accounts' mail", async () => {
  const { mail, contents, during } = mailboxes({ [ANNA]: { Trash: [31], "Trash.A": [31] }, [BERT]: { Trash: [31] } });
  let elapsed = 0;
  const rules = { ...(await oldRules(mail, ["Trash 30d"])), elapsedMs: () => elapsed };
  during.count = (account) => (elapsed += account === ANNA ? 31 * MINUTE_MS : 0);
  const { mails, failure } = await removedBy(mail, rules);
  assert.deepEqual(contents, { [ANNA]: { Trash: [], "Trash.A": [31] }, [BERT]: { Trash: [] } });
  assert.equal(mails, 2);
  assert.match(failure ?? "", /^anna@example\.org: its folders took too long/);
  assert.equal((await removedBy(mail, rules)).mails, 1);
});

test("a folder moved out of Trash while its mail is counted keeps its mail", async () => {
  const { mail, contents, names, during } = mailboxes({ [ANNA]: { Trash: [31], "Trash.A": [31] } });
  const rules = await oldRules(mail, ["Trash 30d"]);
  during.count = () => names.set("Trash.A", "A");
  assert.equal((await removedBy(mail, rules)).mails, 1);
  assert.deepEqual(contents[ANNA], { Trash: [], "Trash.A": [31] });
});

test("removes nothing from an account under legal hold, and nothing at all if the holds are unknown", async () => {
  const { mail, contents } = mailboxes({ [ANNA]: { Trash: [31] }, [BERT]: { Trash: [31] } });
  const unknown = {
    ...(await oldRules(mail, ["Trash 30d"])),
    holds: (): readonly LegalHold[] => {
      throw new Error("unreadable");
    },
  };
  await assert.rejects(runRetention(mail, unknown, NOW), /unreadable/);
  assert.deepEqual(contents[BERT], { Trash: [31] });
  assert.equal((await removedBy(mail, await oldRules(mail, ["* 1d"], [ANNA]))).mails, 1);
  assert.deepEqual(contents, { [ANNA]: { Trash: [31] }, [BERT]: { Trash: [] } });
});

test("a hold that is set while mail is counted applies at once", async () => {
  const { mail, contents, during } = mailboxes({ [ANNA]: { Junk: [31], Trash: [31] } });
  const held: LegalHold[] = [];
  const rules = { ...(await oldRules(mail, ["* 30d"])), holds: () => held };
  during.count = (account, folder) => folder === "Trash" && held.push({ account, since: "", reason: "" });
  assert.equal((await removedBy(mail, rules)).mails, 1);
  assert.deepEqual(contents[ANNA], { Junk: [], Trash: [31] });
});

test("a rule that is changed or withdrawn while mail is counted removes no more", async () => {
  for (const changed of [[], ["* 40d"], ["* 30d", "Trash forever"]]) {
    const { mail, contents, during } = mailboxes({ [ANNA]: { Junk: [31], Trash: [31] } });
    let now = ["* 30d"];
    const rules = { ...(await oldRules(mail, now)), rulesNow: () => now.map(keepRule) };
    during.count = (_account, folder) => folder === "Trash" && (now = changed);
    assert.equal((await removedBy(mail, rules)).mails, 1);
    assert.deepEqual(contents[ANNA], { Junk: [], Trash: [31] }, changed.join());
  }
});

test("an account that cannot be read is reported, and the mail of others is still removed", async () => {
  const { mail, contents } = mailboxes({ [ANNA]: { Trash: [31] }, [BERT]: { Trash: [31] } }, ANNA);
  const removed = await removedBy(mail, await oldRules(mail, ["Trash 30d"]));
  assert.deepEqual(removed, { mails: 1, bytes: 10, accounts: 2, failure: `${ANNA}: no such home` });
  assert.deepEqual(contents[BERT], { Trash: [] });
});

test("without a rule that removes mail, no mailbox is read", async () => {
  const never: MailFolders = { ...mailboxes({}).mail, accounts: () => assert.fail() };
  assert.equal((await removedBy(never, rulesOf(["Trash forever"]))).mails, 0);
});

test("the plan counts what is removed next and within the time, and changes nothing", async () => {
  const { mail, contents } = mailboxes({ [ANNA]: { Trash: [31, 29, 25, 1], INBOX: [99] }, [BERT]: { Trash: [50] } });
  const before = structuredClone(contents);
  const until = NOW + 7 * DAY_MS;
  const planned = await planRetention(mail, await oldRules(mail, ["Trash 30d"], [BERT]), { at: NOW, until });
  const counts = planned.map((of) => [of.account, of.folder, of.mails, of.due.mails, of.later.mails, of.isHeld]);
  assert.deepEqual(counts, [
    [ANNA, "Trash", 4, 1, 3, false],
    [BERT, "Trash", 1, 1, 1, true],
  ]);
  assert.deepEqual(contents, before);
});
