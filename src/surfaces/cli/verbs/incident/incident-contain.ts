import { BEFORE_ALL_MAIL } from "../../../../admin/declare/paging.ts";
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
import { wordsOf } from "../../parse.ts";
import { proofFor } from "../../passwords.ts";
import { accountFrom, noAccount, secretOf } from "../accounts/accounts.ts";
import { targetFrom } from "../server/bans.ts";
import { inIncident, take, withContacts } from "./incident.ts";
import {
  type Came,
  type Deed,
  endSettings,
  mayStand,
  newDashboardPassword,
  notDone,
  revokeTokens,
  took,
} from "./incident-deeds.ts";

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
    return failed("Not everything was done.", `Settle what failed, then \`${PROGRAM} incident contain\` again.`, {
      lines: [...lines, ...wrong],
      json: { did, wrong, printed },
    });
  return done(
    { incident: incident.id, did, printed },
    withContacts(call, lines.join("\n")),
    `${PROGRAM} incident investigate`,
  );
});

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
    // First what somebody who is in could use to come back. A session makes tokens: so tokens go after the password.
    ...(call.flag("dashboard") ? [newDashboardPassword(call)] : []),
    ...accounts.map((name) => {
      if (isOfFile(opened.reader, name)) return suspend(call, name, untilFileHasNew(name));
      return call.flag("suspend") ? suspend(call, name) : newPassword(call, name);
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

/** `next`: a separate sentence, or empty. */
function suspend(call: Call, name: AccountName, next = ""): Deed {
  const plan = `Suspend ${name}, end its sessions, and hold its mail in the queue.${next}`;
  return {
    plan,
    run: async () => {
      const asked = await call.guard.ask({ verb: "account_suspend", name });
      if (asked.ok) {
        const held = plural(asked.result.held, "mail");
        return took(`${name} is suspended, its sessions were ended, and ${held} of it held.${next}`);
      }
      const held = mayStand(asked) ? await holdQueue(call, name) : NOTHING;
      return { did: held.did, wrong: [notDone(plan, asked), ...held.wrong] };
    },
  };
}

function newPassword(call: Call, name: AccountName): Deed {
  const plan = `Give ${name} a new password, end its sessions, and hold its mail in the queue.`;
  return {
    plan,
    run: async () => {
      const password = madePassword();
      const proof = proofFor(call, name, password);
      const secret = await secretOf(call, name, { hash: await hashPassword(password), proof, password });
      if (!secret.ok) return { did: [], wrong: [notDone(plan, secret)] };
      const asked = await call.guard.ask({ verb: "account_set_hash", name, ...secret.fields });
      if (!asked.ok && !mayStand(asked)) return { did: [], wrong: [notDone(plan, asked)] };
      const held = await holdQueue(call, name);
      if (!asked.ok)
        return {
          did: held.did,
          wrong: [notDone(plan, asked), ...held.wrong],
          printed: `${name}  ${password}  (it may be in force: see above)`,
        };
      return {
        did: [`${name} has a new password, its sessions were ended.${secret.closed}`, ...held.did],
        wrong: held.wrong,
        printed: `${name}  ${password}`,
      };
    },
  };
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
    const before = `${plural(held, "mail")} of it was held before.`;
    return { did: [], wrong: [`Mail of ${account} in the queue was not held: ${failure.message} ${before}`] };
  }
  return took(
    held === 0
      ? `Nothing of ${account} was left to hold in the queue.`
      : `${plural(held, "mail")} of ${account} put on hold.`,
  );
}

function ban(call: Call, target: string, { id }: Incident): Deed {
  const plan = `Ban ${target}.`;
  return {
    plan,
    run: async () => {
      const asked = await call.guard.ask({ verb: "ban", target, note: `incident ${id}`, for: null });
      return asked.ok ? took(`${target} is banned.`) : { did: [], wrong: [notDone(plan, asked)] };
    },
  };
}

export function accountsFrom(call: Call): readonly AccountName[] | Failure {
  const names: AccountName[] = [];
  for (const word of wordsOf(call.args[0])) {
    const name = accountFrom(word);
    if (typeof name !== "string") return name;
    names.push(name);
  }
  return names;
}

function addressesFrom(call: Call): readonly string[] | Failure {
  const words = wordsOf(call.option("ban") ?? "");
  const wrong = words.map(targetFrom).find((target) => typeof target !== "string");
  return wrong !== undefined && typeof wrong !== "string" ? wrong : words;
}
