import { factorsRemoved } from "../../../../admin/access.ts";
import { BEFORE_ALL_MAIL, PAGE } from "../../../../admin/declare/paging.ts";
import { SETTING_ENDS } from "../../../../admin/mailboxes.ts";
import { NO_MAIL } from "../../../../admin/queue.ts";
import { placesSince } from "../../../../core/decide/command.ts";
import type { Incident } from "../../../../core/incident/incident.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { plural } from "../../../../core/text.ts";
import { dayAndTime, isoTime, type Millis, until } from "../../../../core/time.ts";
import { madePassword } from "../../../../guard/access/secrets.ts";
import { hashPassword } from "../../../../store/passwords/password-hash.ts";
import { type Call, done, type Failure, failed, PROGRAM, type Reader, whyNotSure, wrongUsage } from "../../call.ts";
import { eachPage } from "../../listing.ts";
import { listOf } from "../../parse.ts";
import { passwordHashFor } from "../../passwords.ts";
import { oneLine } from "../../print/text.ts";
import { accountFrom, noAccount, secretOf } from "../accounts/accounts.ts";
import { callerIn, networksFrom } from "../server/bans.ts";
import { inIncident, recordStep, withContacts } from "./incident.ts";

/** How many forgotten places the timeline keeps as evidence. */
const PLACES_NAMED = 50;

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
  const sentences = planned.map((measure) => measure.plan).filter((each) => each !== "");
  const plans = sentences.map((each) => `- ${each}`).join("\n");
  if (call.flag("dry-run")) return done({ incident: incident.id, plan: sentences }, `This would be done:\n${plans}`);
  if (!call.flag("yes") && call.terminal.interactive) call.terminal.err(plans);
  const unsure = await whyNotSure(call, "Do this?", "nothing was done");
  if (unsure !== null) return unsure;
  const results: Result[] = [];
  const failing = new Set<Measure>();
  let unaudited = "";
  for (const measure of planned) {
    const outcome = await measure.run(failing);
    if (outcome.some((one) => one.as === "wrong")) failing.add(measure);
    results.push(...outcome, ...(await printSecrets(call, textsOf(outcome, "printed"))));
    const [taken, failures] = [textsOf(outcome, "did"), textsOf(outcome, "wrong")];
    const entries = [...taken, ...failures];
    if (entries.length === 0) continue;
    const says = `Contained: ${plural(taken.length, "step")} taken${failures.length === 0 ? "" : `, ${failures.length} failed`}.`;
    // Recorded after each measure, because this command may be killed before the next one.
    unaudited = (await recordStep(call, incident, { step: "contain", says, lines: entries })) || unaudited;
  }
  const [did, wrong, printed] = [textsOf(results, "did"), textsOf(results, "wrong"), textsOf(results, "printed")];
  const lines = [...did, ...(unaudited === "" ? [] : [unaudited])];
  if (wrong.length > 0)
    return failed("Not everything was done.", `Fix what failed, then \`${PROGRAM} incident contain\` again.`, {
      lines: [...lines, ...wrong],
      json: { did, wrong, printed },
    });
  const text = withContacts(call, [lines.join("\n")]);
  return done({ incident: incident.id, did, printed }, text, `${PROGRAM} incident investigate`);
});

/** Prints secrets at once, because the command may be killed during the next step. With --json they are in the final object. */
async function printSecrets({ json, terminal }: Call, secrets: readonly string[]): Promise<readonly Result[]> {
  if (json || secrets.length === 0) return [];
  const shown = await terminal.outForGood(`Shown only once:\n${secrets.join("\n")}\n\n`);
  return shown.ok ? [] : [failure(`Could not be printed (${shown.reason}): ${secrets.join(", ")}`)];
}

/** The result of a measure or of a part of it, as a sentence. `printed`: a secret that is shown once and kept nowhere. */
type Result = Readonly<{ as: "did" | "wrong" | "printed"; says: string }>;
/** `plan`: a sentence; empty if the measure seems unnecessary so far. `failing`: earlier measures that failed. */
type Measure = Readonly<{ plan: string; run: (failing: ReadonlySet<Measure>) => Promise<readonly Result[]> }>;

type Asked = Readonly<{ incident: Incident; since: Millis; accounts: readonly AccountName[] }>;

async function plan(call: Call, { incident, since, accounts }: Asked): Promise<readonly Measure[] | Failure> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const missing = accounts.find((name) => opened.reader.account(name) === null);
  if (missing !== undefined) return noAccount(missing);
  const targets = networksFrom(call, "ban");
  if ("ok" in targets) return targets;
  const newPlaces = call.flag("ban-new") ? accounts.flatMap((name) => opened.reader.newPlaces(name, since)) : [];
  const bans = [...new Set([...targets, ...newPlaces])].map((target) => ban(call, target, incident));
  return [
    // First whatever lets an intruder who is signed in come back. Tokens go last, because a session can make them.
    ...(call.flag("dashboard") ? [newDashboardPassword(call)] : []),
    ...accounts.map((name) => {
      // `account_set_hash` refuses these, because the accounts file would restore the old password.
      const origin = opened.reader.account(name)?.origin;
      if (origin === "listed" || origin === "unlisted")
        return suspend(
          call,
          name,
          ` Its password is set in the accounts file: change it there, then \`${PROGRAM} account resume ${name}\`.`,
        );
      return call.flag("suspend") ? suspend(call, name) : newPassword(call, opened.reader, name);
    }),
    ...accounts.flatMap((name) => endSettings(call, opened.reader, name)),
    ...bans,
    ...accounts.map((name) => forgetPlaces(call, opened.reader, { name, since, bans })),
    ...(call.flag("tokens") ? [revokeTokens(call)] : []),
  ];
}

function newDashboardPassword(call: Call): Measure {
  const plan = "Set a new password of the dashboard, and remove its second factors and passkeys.";
  const run = async (): Promise<readonly Result[]> => {
    const password = madePassword();
    const asked = await call.guard.ask({ verb: "admin_set_hash", hash: await hashPassword(password) });
    const changed = resultOf(asked, plan, () => "The dashboard's password was changed.");
    // An intruder could have set up a second factor. Removed after the password; this also ends sessions.
    const reset = await call.guard.ask({ verb: "factors_reset" });
    const removed = resultOf(reset, "Remove the second factors of the dashboard.", factorsRemoved);
    return [changed, removed, ...secretResult("dashboard", password, asked)];
  };
  return { plan, run };
}

/**
 * Revokes tokens until the guard lists none, so that those made in between are revoked too. This ends, because a caller can make only
 * a bounded number.
 */
function revokeTokens(call: Call): Measure {
  const plan = "Revoke every API token.";
  const run = async (): Promise<readonly Result[]> => {
    const results: Result[] = [];
    const refused = new Set<string>();
    while (true) {
      const listed = await call.guard.ask({ verb: "token_list", limit: PAGE.most, cursor: null });
      if (!listed.ok) return [...results, failedTo(plan, listed)];
      const left = listed.result.items.filter(({ name }) => !refused.has(name));
      if (left.length === 0) return results.length === 0 ? [success("No API token existed.")] : results;
      for (const { name } of left) {
        const asked = await call.guard.ask({ verb: "token_revoke", name });
        if (!asked.ok) refused.add(name);
        results.push(resultOf(asked, `Revoke the API token ${name}.`, () => `The API token ${name} is revoked.`));
      }
    }
  };
  return { plan, run };
}

/**
 * Ends what a thief may have set for the account's mailbox. Runs after the new password, because someone who is signed in could set it
 * again, and reads the settings again for the same reason.
 */
function endSettings(call: Call, reader: Reader, name: AccountName): readonly Measure[] {
  return SETTING_ENDS.map(({ isSet, command, plan, did }) => {
    const known = reader.own(name);
    const run = async (): Promise<readonly Result[]> => {
      const was = reader.own(name);
      if (!isSet(was)) return [];
      const asked = await call.guard.ask(command(name));
      return [resultOf(asked, plan(name, was), () => oneLine(did(name, was)))];
    };
    return { plan: isSet(known) ? plan(name, known) : "", run };
  });
}

/** `next`: a sentence to append, or empty. */
function suspend(call: Call, name: AccountName, next = ""): Measure {
  const plan = `Suspend ${name}, end its sessions, and hold its mail in the queue.${next}`;
  const run = async (): Promise<readonly Result[]> => {
    const asked = await call.guard.ask({ verb: "account_suspend", name });
    const suspended = resultOf(
      asked,
      plan,
      ({ held }) => `${name} is suspended, its sessions were ended, and ${plural(held, "mail")} put on hold.${next}`,
    );
    return [suspended, ...(!asked.ok && mayBeInForce(asked) ? [await holdQueue(call, name)] : [])];
  };
  return { plan, run };
}

function newPassword(call: Call, reader: Reader, name: AccountName): Measure {
  const plan = `Give ${name} a new password, end its sessions, and hold its mail in the queue.`;
  const run = async (): Promise<readonly Result[]> => {
    const password = madePassword();
    const passwordHash = passwordHashFor(call, name, password);
    const secret = await secretOf(call, reader, { name, hash: await hashPassword(password), passwordHash, password });
    if (!secret.ok) return [failedTo(plan, secret)];
    const asked = await call.guard.ask({ verb: "account_set_hash", name, ...secret.fields });
    const says = `${name} has a new password; its sessions were ended.${secret.closed}`;
    const changed = resultOf(asked, plan, () => says);
    if (!mayBeInForce(asked)) return [changed];
    return [changed, await holdQueue(call, name), ...secretResult(name, password, asked)];
  };
  return { plan, run };
}

type Places = Readonly<{ name: AccountName; since: Millis; bans: readonly Measure[] }>;

/**
 * Forgets an intruder's places. Otherwise they would be trusted like the user's own for months, with many guesses and no alert. Keeps
 * them if a ban failed, because a repeated `--ban-new` reads them.
 */
function forgetPlaces(call: Call, reader: Reader, { name, since, bans }: Places): Measure {
  const places = `places that ${name} first used since ${dayAndTime(isoTime(since))}`;
  const plan = `Forget the ${places}.`;
  const run = async (failing: ReadonlySet<Measure>): Promise<readonly Result[]> => {
    if (bans.some((one) => failing.has(one)))
      return [failure(`The ${places} are kept, because a ban failed: repeat this once it succeeds, or without it.`)];
    const known = reader.newPlaces(name, since);
    const more = known.length > PLACES_NAMED ? `, and ${known.length - PLACES_NAMED} more` : "";
    const named = known.length === 0 ? "" : `: ${known.slice(0, PLACES_NAMED).join(", ")}${more}`;
    const subject = placesSince(name, since);
    const asked = await call.guard.ask({ verb: "record", type: "PLACES_FORGOTTEN", subject });
    return [resultOf(asked, plan, () => `The ${places} are forgotten${named}.`)];
  };
  return { plan, run };
}

async function holdQueue(call: Call, account: AccountName): Promise<Result> {
  const chosen = { ...NO_MAIL, account, isAll: false };
  let held = 0;
  const unfinished = await eachPage(
    BEFORE_ALL_MAIL, // with a cursor, finding no mail is a success
    (cursor) => call.guard.ask({ verb: "queue_hold", ...chosen, cursor }),
    ({ changed }) => (held += changed),
  );
  if (unfinished !== null) {
    const before = `${plural(held, "mail")} had been held by then.`;
    return failure(`Mail of ${account} in the queue was not all held: ${unfinished.message} ${before}`);
  }
  return success(
    held === 0
      ? `${account} had no other mail in the queue to hold.`
      : `${plural(held, "mail")} of ${account} put on hold.`,
  );
}

function ban(call: Call, target: string, { id }: Incident): Measure {
  if (callerIn(call, target) !== null) {
    const says = `${target} is not banned: the SSH connection of this command comes from there.`;
    return { plan: says, run: async () => [failure(says)] };
  }
  const plan = `Ban ${target}.`;
  const run = async (): Promise<readonly Result[]> => {
    const asked = await call.guard.ask({ verb: "ban", target, note: `incident ${id}`, for: null });
    return [resultOf(asked, plan, ({ ban: made }) => `${target} is banned ${until(made.expiresAt, call.now())}.`)];
  };
  return { plan, run };
}

type Reply<R> = Readonly<{ ok: true; result: R }> | Failure;

/** Whether the command may have taken effect, at least in part. Not if it was not received or was wrong usage. */
function mayBeInForce(reply: Reply<unknown>): boolean {
  return reply.ok || reply.exit === "failed";
}

function secretResult(of: string, password: string, reply: Reply<unknown>): readonly Result[] {
  const doubt = reply.ok ? "" : "  (setting it failed, but it may be in force)";
  return mayBeInForce(reply) ? [{ as: "printed", says: `${of}  ${password}${doubt}` }] : [];
}

/** The result of a part that is one command to the guard. `plan`: what it was to do, as a sentence. */
function resultOf<R>(reply: Reply<R>, plan: string, says: (result: R) => string): Result {
  return reply.ok ? success(says(reply.result)) : failedTo(plan, reply);
}

function success(says: string): Result {
  return { as: "did", says };
}

function failure(says: string): Result {
  return { as: "wrong", says };
}

function failedTo(plan: string, { message }: Failure): Result {
  return failure(`${plan} Failed: ${message}`);
}

function textsOf(results: readonly Result[], wanted: Result["as"]): readonly string[] {
  return results.filter((one) => one.as === wanted).map(({ says }) => says);
}

export function accountsFrom(call: Call): readonly AccountName[] | Failure {
  const names = [...new Set(listOf(call.args[0]).map(accountFrom))];
  return names.find((name) => typeof name !== "string") ?? names.filter((name) => typeof name === "string");
}
