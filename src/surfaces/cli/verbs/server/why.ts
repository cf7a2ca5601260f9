import type { AccountKnown } from "../../../../admin/accounts.ts";
import type { AccountReport, AddressAnswer } from "../../../../admin/declare/items.ts";
import { parseAccountName } from "../../../../core/net/address.ts";
import { contains, hostPrefix, type Ip, parseIp, parsePrefix, printPrefix } from "../../../../core/net/ip.ts";
import { plural, quoted } from "../../../../core/text.ts";
import { dayAndTime, formatDuration } from "../../../../core/time.ts";
import { whyAccount, whyAddress, whyMessage } from "../../../../guard/explain/why.ts";
import type { Queries } from "../../../../guard/storage-ports.ts";
import type { ValidSettings } from "../../../../settings/load.ts";
import { showSettings } from "../../../../settings/show.ts";
import { toPolicy } from "../../../../settings/to-policy.ts";
import { type Answer, type Call, done, PROGRAM, type Reader, wrongUsage } from "../../call.ts";
import { isClosed, mailKeyText, recoverCommand } from "../../print/account-facts.ts";
import { columns, joined, oneLine } from "../../print/text.ts";
import {
  nextAfterWhy,
  printAccount,
  printMessage,
  printWhy,
  type SettingsInForce,
  type WhySubject,
} from "../../print/why.ts";
import { settingsOf } from "../../server-settings.ts";
import { mailboxUse, quotaText, usedText } from "../accounts/account-settings.ts";
import { stateOf } from "../accounts/accounts.ts";
import { eventsNaming } from "./events.ts";
import { holdReason } from "./held.ts";

export async function why(call: Call): Promise<Answer> {
  const [asked = ""] = call.args;
  const [account, message] = [call.option("account"), call.option("message")];
  if ([asked.trim() === "" ? null : asked, account, message].filter((one) => one !== null).length !== 1)
    return wrongUsage("why needs one of TEXT, --account ADDRESS and --message ID.", `See \`${PROGRAM} help why\`.`);
  if (account !== null) return answerAbout(call, { account });
  if (message !== null) return answerAbout(call, { message });
  if (LIKE_IP.test(asked) && parsePrefix(asked) === null)
    return wrongUsage(`"${oneLine(asked)}" is not an IP address.`, "Write it like 203.0.113.7 or 2001:db8::7.");
  return find(call);
}

/** A text that is probably meant as an IP address, even if invalid. Digits alone may be a queue id. */
const LIKE_IP = /^(?:\d*[./][\d./]*|[\da-f:./]*:[\da-f:./]*)$/i;

/** `find TEXT` and `why TEXT`: an IP address, an account, a mail, or else events that name a sender, domain or recipient, or come from a network. */
export async function find(call: Call): Promise<Answer> {
  const text = call.args.join(" ");
  if (text.trim() === "") return wrongUsage("find needs a text.", `See \`${PROGRAM} help find\`.`);
  const ip = parseIp(text);
  if (ip !== null) return answerAbout(call, { ip });
  return answerAbout(call, text.startsWith("<") ? { message: text } : { text });
}

type Loaded = ReturnType<typeof settingsOf>;
type Subject = Readonly<{ ip: Ip } | { message: string } | { account: string } | { text: string }>;

async function answerAbout(call: Call, subject: Subject): Promise<Answer> {
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const { reader } = opened;
  const loaded = settingsOf(call);
  if ("ip" in subject) return loaded.ok ? whyIp(call, reader.queries, loaded, subject.ip) : loaded;
  if ("account" in subject) return answerAboutAccount(call, reader, subject.account, loaded);
  if ("text" in subject) {
    const name = parseAccountName(subject.text);
    if (name !== null && reader.account(name) !== null) return answerAboutAccount(call, reader, name, loaded);
  }
  const report = whyMessage(reader.queries, "text" in subject ? subject.text : subject.message);
  if ("text" in subject && report.timeline.length === 0) return eventsNaming(call, reader, subject.text);
  const [queueId] = report.queueIds;
  const about = queueId === undefined ? `--grep ${quoted(oneLine(report.asked))}` : `--queue-id ${queueId}`;
  return done(report, printMessage(report, inForce(loaded)), `${PROGRAM} logs ${about}`);
}

async function whyIp(call: Call, queries: Queries, loaded: ValidSettings, ip: Ip): Promise<Answer> {
  const { bans, allow } = toPolicy(loaded.settings);
  const now = call.now();
  const report = whyAddress(queries, hostPrefix(ip), now, bans);
  const asked = await call.guard.ask({ verb: "protection", target: ip });
  const subject: WhySubject = {
    ip,
    report,
    listedInSettings: allow.find((network) => contains(network, ip)) ?? null,
    protection: asked.ok ? asked.result.reason : "unknown",
    memoryMs: bans.memoryMs,
    nowMs: now,
    inForce: inForce(loaded),
  };
  const answer: AddressAnswer = {
    ...report,
    protection: asked.ok ? asked.result.reason : null,
    protectionUnknown: !asked.ok,
  };
  return done({ ip, ...answer }, printWhy(subject), nextAfterWhy(subject));
}

function inForce(loaded: Loaded): SettingsInForce {
  return new Map(loaded.ok ? showSettings(loaded.sources).map(({ key, value }) => [key, value]) : []);
}

const MOST_KNOWN = 8;

async function answerAboutAccount(call: Call, reader: Reader, account: string, loaded: Loaded): Promise<Answer> {
  const values = inForce(loaded);
  const report = whyAccount(reader.queries, account);
  const name = parseAccountName(account);
  const row = name === null ? null : reader.account(name);
  if (name === null || row === null) {
    const text = joined("\n\n", [`${oneLine(account)} is not an account here.`, printAccount(report, values)]);
    return done({ ...report, state: null }, text, nextAfter(report));
  }
  // Asks the guard, so that the policy in force counts and not edits that are not applied yet.
  const asked = await call.guard.ask({ verb: "account_state", name });
  const known = asked.ok ? asked.result.state : null;
  const use = await mailboxUse(call, name);
  const mailbox = `${use === null ? "use unknown" : usedText(use)}; quota ${quotaText(call, row.quotaBytes, use)}`;
  const keys = reader.accountKeys(name);
  const key = mailKeyText(name, keys, loaded.ok && loaded.settings["mailboxes.encryption"] === "account");
  const settings = reader.settings(name);
  const lines = [
    ["  mailbox", mailbox],
    ...(row.networks.length === 0 ? [["  sign-ins from", "any network that logins.networks allows"]] : []),
    ...settings.flatMap(({ what, is }) => is.map((one, nth) => [nth === 0 ? `  ${what}` : "", one])),
    ...(key === null ? [] : [["  key of its mail", key]]),
    ...(known === null ? [] : knownLines(known)),
  ];
  const head = `${name}: ${stateOf(row)}, since ${dayAndTime(row.createdAt)}.`;
  const text = joined("\n\n", [`${head}\n${columns(lines)}`, printAccount(report, values)]);
  const ownKeys = { opened: keys.filter(({ isOpen }) => isOpen).length, total: keys.length };
  const next = isClosed(keys) ? recoverCommand(name) : nextAfter(report);
  const state = { ...row, ...known, use, keys: ownKeys, ...reader.own(name), settings };
  return done({ ...report, state }, text, next);
}

function knownLines({ guarded, held, known }: AccountKnown): readonly (readonly string[])[] {
  const guesses =
    guarded === null
      ? "no"
      : `yes: ${plural(guarded.guesses, "wrong password")} or more within ${formatDuration(guarded.windowMs)}, from new places`;
  const mail = held === null ? "no" : `since ${dayAndTime(held.at)}: ${holdReason(held)}`;
  const rest = known.length > MOST_KNOWN ? ` and ${known.length - MOST_KNOWN} more (--json)` : "";
  const places = known.length === 0 ? "none" : known.slice(0, MOST_KNOWN).map(printPrefix).join(", ") + rest;
  return [
    ["  guarded", guesses],
    ["  mail held", mail],
    ["  known addresses", places],
  ];
}

function nextAfter({ account, addresses }: AccountReport): string {
  const suspect = addresses.find(({ failed }) => failed > 0);
  return `${PROGRAM} ${suspect === undefined ? `logs --account ${quoted(oneLine(account))}` : `why ${suspect.ip}`}`;
}
