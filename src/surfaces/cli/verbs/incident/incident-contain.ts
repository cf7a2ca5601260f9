import { factorsRemoved } from "../../../../admin/access.ts";
import { BEFORE_ALL_MAIL, PAGE } from "../../../../admin/declare/paging.ts";
import { SETTING_ENDS } from "../../../../admin/mailboxes.ts";
import { NO_MAIL } from "../../../../admin/queue.ts";
import { messageOf } from "../../../../core/error.ts";
import type { Incident } from "../../../../core/incident/incident.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { plural } from "../../../../core/text.ts";
import type { Millis } from "../../../../core/time.ts";
import { madePassword } from "../../../../guard/access/secrets.ts";
import { hashPassword } from "../../../../store/passwords/password-hash.ts";
import { type Call, done, type Failure, failed, PROGRAM, type Reader, whyNotSure, wrongUsage } from "../../call.ts";
import { eachPage } from "../../listing.ts";
import { listOf, wordsOf } from "../../parse.ts";
import { passwordHashFor } from "../../passwords.ts";
import { oneLine } from "../../print/text.ts";
import { accountFrom, noAccount, secretOf } from "../accounts/accounts.ts";
import { callerIn, targetFrom } from "../server/bans.ts";
import { inIncident, take, withContacts } from "./incident.ts";

/** `incident contain [ACCOUNT...]`: an intruder is signed out, and cannot come back. */
export const incidentContain = inIncident(async (call, incident, since) => {
  const accounts = accountsFrom(call);
  if ("ok" in accounts) return accounts;
  const planned = await plan(call, { incident, since, accounts });
  if ("ok" in planned) return planned;
  if (planned.length === 0)
    return wrongUsage(
      "incident contain needs accounts, --ban, --tokens or --dashboard.",
      `\`${PROGRAM} incident assess\` names accounts.`,
    );
  const planSays = planned.map((deed) => deed.plan).filter((each) => each !== "");
  const plans = planSays.map((each) => `- ${each}`).join("\n");
  if (call.flag("dry-run")) return done({ incident: incident.id, plan: planSays }, `This would be done:\n${plans}`);
  if (!call.flag("yes") && call.terminal.interactive) call.terminal.err(plans);
  const unsure = await whyNotSure(call, "Do this?", "nothing was done");
  if (unsure !== null) return unsure;
  const came: Came[] = [];
  for (const deed of planned) came.push(await deed.run());
  const did = came.flatMap((one) => one.did);
  const wrong = came.flatMap((one) => one.wrong);
  const printed = came.flatMap((one) => one.printed ?? []);
  const says = `Contained: ${plural(did.length, "step")} taken${wrong.length === 0 ? "" : `, ${wrong.length} failed`}.`;
  // A password that is in force is printed, whatever else fails.
  const unaudited = await take(call, incident, { step: "contain", says, lines: [...did, ...wrong] }).catch(
    (error: unknown) => `It could not be written into the timeline: ${messageOf(error)}.`,
  );
  const secrets = printed.length === 0 ? [] : ["", "Shown only now:", ...printed];
  const lines = [...did, ...secrets, ...(unaudited === "" ? [] : [unaudited])];
  if (wrong.length > 0)
    return failed("Not everything was done.", `Fix what failed, then \`${PROGRAM} incident contain\` again.`, {
      lines: [...lines, ...wrong],
      json: { did, wrong, printed },
    });
  return done(
    { incident: incident.id, did, printed },
    withContacts(call, lines.join("\n")),
    `${PROGRAM} incident investigate`,
  );
});

/** The result of a measure; a part of it may fail. `printed`: secrets that are shown once and kept nowhere. */
type Came = Readonly<{ did: readonly string[]; wrong: readonly string[]; printed?: string }>;
/** One thing to do, and what it is; an empty plan: nothing as far as is known. */
type Deed = Readonly<{ plan: string; run: () => Promise<Came> }>;

type Asked = Readonly<{ incident: Incident; since: Millis; accounts: readonly AccountName[] }>;

async function plan(call: Call, { incident, since, accounts }: Asked): Promise<readonly Deed[] | Failure> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const missing = accounts.find((name) => opened.reader.account(name) === null);
  if (missing !== undefined) return noAccount(missing);
  const targets = addressesFrom(call);
  if ("ok" in targets) return targets;
  const strangers = call.flag("ban-new") ? accounts.flatMap((name) => opened.reader.newPlaces(name, since)) : [];
  return [
    // First what someone who is in could use to come back. A session makes tokens: so tokens go after the password.
    ...(call.flag("dashboard") ? [newDashboardPassword(call)] : []),
    ...accounts.map((name) => {
      if (isOfFile(opened.reader, name)) return suspend(call, name, untilFileHasNew(name));
      return call.flag("suspend") ? suspend(call, name) : newPassword(call, opened.reader, name);
    }),
    ...accounts.flatMap((name) => endSettings(call, opened.reader, name)),
    ...[...new Set([...targets, ...strangers])].map((target) => ban(call, target, incident)),
    ...(call.flag("tokens") ? [revokeTokens(call)] : []),
  ];
}

/** The accounts file would bring the old password back, so `account_set_hash` refuses one for these. */
function isOfFile(reader: Reader, name: AccountName): boolean {
  const origin = reader.account(name)?.origin;
  return origin === "listed" || origin === "unlisted";
}

function untilFileHasNew(name: AccountName): string {
  return ` Its password is set in the accounts file: change it there, then \`${PROGRAM} account resume ${name}\`.`;
}

function newDashboardPassword(call: Call): Deed {
  const plan = "Set a new password of the dashboard, and remove its second factors and passkeys.";
  const run = async (): Promise<Came> => {
    const changed = await changeDashboardPassword(call, plan);
    // After the password: an intruder could have set up a second factor, and sessions end with it.
    const reset = await call.guard.ask({ verb: "factors_reset" });
    if (!reset.ok)
      return { ...changed, wrong: [...changed.wrong, notDone("Remove the second factors of the dashboard.", reset)] };
    return { ...changed, did: [...changed.did, factorsRemoved(reset.result)] };
  };
  return { plan, run };
}

async function changeDashboardPassword(call: Call, plan: string): Promise<Came> {
  const password = madePassword();
  const asked = await call.guard.ask({ verb: "admin_set_hash", hash: await hashPassword(password) });
  if (asked.ok) return { ...took("The dashboard's password was changed."), printed: `dashboard  ${password}` };
  const failure = notTaken(plan, asked);
  return mayStand(asked) ? { ...failure, printed: `dashboard  ${password}  (it may be in force: see above)` } : failure;
}

/**
 * Revokes what the guard lists until it lists none: a token that is made in between is revoked too. It ends, because a caller may
 * make only a bounded number.
 */
function revokeTokens(call: Call): Deed {
  const plan = "Revoke every API token.";
  const run = async (): Promise<Came> => {
    const did: string[] = [];
    const wrong = new Map<string, string>();
    while (true) {
      const listed = await call.guard.ask({ verb: "token_list", limit: PAGE.most, cursor: null });
      if (!listed.ok) return { did, wrong: [...wrong.values(), notDone(plan, listed)] };
      const left = listed.result.items.filter(({ name }) => !wrong.has(name));
      if (left.length === 0) break;
      for (const { name } of left) {
        const asked = await call.guard.ask({ verb: "token_revoke", name });
        if (asked.ok) did.push(`The API token ${name} is revoked.`);
        else wrong.set(name, notDone(`Revoke the API token ${name}.`, asked));
      }
    }
    return { did: did.length + wrong.size === 0 ? ["No API token existed."] : did, wrong: [...wrong.values()] };
  };
  return { plan, run };
}

/**
 * Ends what a thief may have set for the account's mailbox. After the new password, because who is signed in could set it again; so it is
 * looked at once more then.
 */
function endSettings(call: Call, reader: Reader, name: AccountName): readonly Deed[] {
  return SETTING_ENDS.map(({ isSet, command, plan, did }) => {
    const known = reader.own(name);
    const run = async (): Promise<Came> => {
      const was = reader.own(name);
      if (!isSet(was)) return NOTHING;
      const asked = await call.guard.ask(command(name));
      return asked.ok ? took(oneLine(did(name, was))) : notTaken(plan(name, was), asked);
    };
    return { plan: isSet(known) ? plan(name, known) : "", run };
  });
}

/** `next`: a separate sentence, or empty. */
function suspend(call: Call, name: AccountName, next = ""): Deed {
  const plan = `Suspend ${name}, end its sessions, and hold its mail in the queue.${next}`;
  const run = async (): Promise<Came> => {
    const asked = await call.guard.ask({ verb: "account_suspend", name });
    if (asked.ok) {
      const held = plural(asked.result.held, "mail");
      return took(`${name} is suspended, its sessions were ended, and ${held} put on hold.${next}`);
    }
    const held = mayStand(asked) ? await holdQueue(call, name) : NOTHING;
    return { did: held.did, wrong: [notDone(plan, asked), ...held.wrong] };
  };
  return { plan, run };
}

function newPassword(call: Call, reader: Reader, name: AccountName): Deed {
  const plan = `Give ${name} a new password, end its sessions, and hold its mail in the queue.`;
  const run = async (): Promise<Came> => {
    const password = madePassword();
    const passwordHash = passwordHashFor(call, name, password);
    const secret = await secretOf(call, reader, { name, hash: await hashPassword(password), passwordHash, password });
    if (!secret.ok) return notTaken(plan, secret);
    const asked = await call.guard.ask({ verb: "account_set_hash", name, ...secret.fields });
    if (!asked.ok && !mayStand(asked)) return notTaken(plan, asked);
    const held = await holdQueue(call, name);
    if (!asked.ok)
      return {
        did: held.did,
        wrong: [notDone(plan, asked), ...held.wrong],
        printed: `${name}  ${password}  (it may be in force: see above)`,
      };
    return {
      did: [`${name} has a new password; its sessions were ended.${secret.closed}`, ...held.did],
      wrong: held.wrong,
      printed: `${name}  ${password}`,
    };
  };
  return { plan, run };
}

const NOTHING: Came = { did: [], wrong: [] };

/** Mail that waits in the queue and is not on hold yet. */
async function holdQueue(call: Call, account: AccountName): Promise<Came> {
  const chosen = { ...NO_MAIL, account, isAll: false };
  let held = 0;
  const failure = await eachPage(
    BEFORE_ALL_MAIL, // from there, an empty queue outside of the hold queue succeeds
    (cursor) => call.guard.ask({ verb: "queue_hold", ...chosen, cursor }),
    ({ changed }) => (held += changed),
  );
  if (failure !== null) {
    const before = `${plural(held, "mail")} had been held by then.`;
    return { did: [], wrong: [`Mail of ${account} in the queue was not all held: ${failure.message} ${before}`] };
  }
  return took(
    held === 0
      ? `Nothing of ${account} was left to hold in the queue.`
      : `${plural(held, "mail")} of ${account} put on hold.`,
  );
}

function ban(call: Call, target: string, { id }: Incident): Deed {
  if (callerIn(call, target) !== null) {
    const says = `${target} is not banned: the SSH connection of this command comes from there.`;
    return { plan: says, run: async () => ({ did: [], wrong: [says] }) };
  }
  const plan = `Ban ${target}.`;
  const run = async (): Promise<Came> => {
    const asked = await call.guard.ask({ verb: "ban", target, note: `incident ${id}`, for: null });
    return asked.ok ? took(`${target} is banned.`) : notTaken(plan, asked);
  };
  return { plan, run };
}

/** A command that failed may be done in part, unless it was not received or its grammar was wrong. */
function mayStand({ exit }: Failure): boolean {
  return exit === "failed";
}

function notDone(plan: string, { message }: Failure): string {
  return `${plan} Failed: ${message}`;
}

function took(says: string): Came {
  return { did: [says], wrong: [] };
}

function notTaken(plan: string, failure: Failure): Came {
  return { did: [], wrong: [notDone(plan, failure)] };
}

export function accountsFrom(call: Call): readonly AccountName[] | Failure {
  const names: AccountName[] = [];
  for (const word of listOf(call.args[0])) {
    const name = accountFrom(word);
    if (typeof name !== "string") return name;
    names.push(name);
  }
  return names;
}

function addressesFrom(call: Call): readonly string[] | Failure {
  const words = wordsOf(call.option("ban") ?? "");
  const wrong = words.map(targetFrom).find((target) => typeof target !== "string");
  return wrong ?? words;
}
