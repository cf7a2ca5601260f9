import { createHash } from "node:crypto";
import { ALL } from "../../../../admin/declare/paging.ts";
import { targetsOf } from "../../../../admin/mailboxes.ts";
import {
  type AccessReview,
  type AdminAccess,
  type LastSeen,
  accessReview as reviewOf,
} from "../../../../core/access/access-review.ts";
import { messageOf } from "../../../../core/error.ts";
import { printPrefix } from "../../../../core/net/ip.ts";
import { UNUSED_DAYS } from "../../../../core/report/figures.ts";
import { plural } from "../../../../core/text.ts";
import { DAY_MS, dayAndTime, formatDuration } from "../../../../core/time.ts";
import { homeOf, sieveRedirectsIn } from "../../../../mail/dovecot/sieve-redirects.ts";
import { type Call, done, failed, PROGRAM, type Reader, withReader } from "../../call.ts";
import { judgeFollowed, weakLines } from "../../passwords.ts";
import { columns, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";

const UNUSED_MS = UNUSED_DAYS * DAY_MS;

export const accessReview = withReader(async (call, reader) => {
  const made = await reviewNow(call, reader);
  if (!("review" in made)) return made;
  const { review, weak, last } = made;
  const digest = createHash("sha256").update(JSON.stringify(review)).digest("hex");
  const json = { ...review, unusedAfter: formatDuration(UNUSED_MS), digest, lastSignedAt: last };
  const signed = last === null ? "has never been signed" : `was last signed at ${dayAndTime(last)}`;
  const text = [...linesOf(review, weak), "", `This review ${signed}.`].join("\n");
  if (!call.flag("sign")) return done(json, text, `${PROGRAM} access review --sign`);
  const counts = [
    plural(review.accounts.length, "account"),
    plural(review.aliases, "alias"),
    plural(review.forwards.length, "forward"),
    plural(review.admins.length, "administrator"),
  ];
  const summary = `${counts.join(", ")}; SHA-256 ${digest}`;
  const asked = await call.guard.ask({ verb: "record", type: "ACCESS_REVIEWED", subject: summary });
  if (!asked.ok) return asked;
  return done({ ...json, signed: true }, `${text}\n\nSigned: ${summary}.`, `${PROGRAM} audit list --limit 5`);
});

async function reviewNow(call: Call, reader: Reader) {
  const settings = settingsOf(call);
  if (!settings.ok) return settings;
  const accounts = reader.accounts(ALL).items;
  const { weak } = await judgeFollowed(settings.settings["accounts.follow"], accounts);
  const { domains } = settings.settings;
  const role = reader.roleReader();
  try {
    const facts = {
      accounts: accounts.map(({ name, suspended, networks, createdAt }) => {
        const { addresses, lastSignIn: lastSeen } = reader.access(name);
        const appPasswords = reader.own(name).appPasswords.map((one) => one.name);
        const weakness = weak.get(name) ?? null;
        return { name, suspended, networks, createdAt, addresses, appPasswords, lastSeen, weakness };
      }),
      aliases: reader.aliases(ALL).items,
      redirects: accounts.flatMap(({ name }) => sieveRedirectsIn(homeOf(call.layout.mail, name), name)),
      forwards: [
        ...accounts.map(({ name }) => ({ address: name, to: targetsOf(reader.own(name)), by: "account forward" })),
        { address: "postmaster@, abuse@", to: role === null ? [] : [role.address], by: "accounts.administrator" },
      ],
      admins: adminsOf(reader),
      domains,
    };
    const review = reviewOf(facts, { now: call.now(), unusedMs: UNUSED_MS });
    return { review, weak, last: reader.audit.lastOf("ACCESS_REVIEWED").at };
  } catch (error) {
    return failed(`Who may do what cannot be read: ${messageOf(error)}.`, `\`${PROGRAM} status\` shows more.`);
  }
}

function later(a: LastSeen | null, b: LastSeen | null): LastSeen | null {
  if (a === null || b === null) return a ?? b;
  return a.at > b.at ? a : b;
}

/** Root, the dashboard's administrator and tokens, each with its last entry in the audit. */
function adminsOf(reader: Reader): readonly AdminAccess[] {
  const seen = new Map<string, LastSeen>();
  for (const { actor, at, detail } of reader.audit.all()) {
    const [, name = actor, from = ""] = /^(.*) via (\S+)$/.exec(actor) ?? [];
    // Drops the user who became root (`callerName`).
    const who = name.startsWith("root (") ? "root" : name;
    seen.set(who, { at, from: from || (/"ip":"([0-9a-f.:]{2,45})"/.exec(detail)?.[1] ?? "") });
  }
  const of = (actor: string): LastSeen | null => seen.get(actor) ?? null;
  return [
    { name: "root, by the command line", createdAt: null, createdBy: "", lastSeen: of("root") },
    { name: "admin, by the dashboard", createdAt: null, createdBy: "", lastSeen: of("web:admin") },
    ...reader.tokens(ALL).items.map(({ name, createdAt, createdBy, usedAt }) => ({
      name: `token ${name}`,
      createdAt,
      createdBy,
      // Reads leave no audit entry, so the last use counts too.
      lastSeen: later(of(`web:token ${name}`), usedAt === null ? null : { at: usedAt, from: "" }),
    })),
  ];
}

function linesOf({ accounts, forwards, admins }: AccessReview, weak: ReadonlyMap<string, string>): readonly string[] {
  const unused = accounts.filter(({ isUnused }) => isUnused).map(({ name }) => name);
  return [
    "Who can read and send mail. Each account has one password, and its app passwords.",
    columns([
      ["ACCOUNT", "STATE", "ALSO SENDS AS", "APP PASSWORDS", "MAY SIGN IN FROM", "LAST SIGN-IN", "FROM"],
      ...accounts.map((account) => [
        account.name,
        `${account.suspended ? "suspended" : account.isUnused ? "unused" : "active"}${account.weakness === null ? "" : ", weak password"}`,
        account.addresses.filter((address) => address !== account.name).join(", ") || "-",
        account.appPasswords.join(", ") || "-",
        account.networks.map(printPrefix).join(", ") || "anywhere",
        ...seenCells(account.lastSeen),
      ]),
    ]),
    ...(unused.length === 0 ? [] : [`Not used for ${formatDuration(UNUSED_MS)}: ${unused.join(", ")}.`]),
    ...weakLines(weak),
    "",
    "Where mail is forwarded to other servers:",
    forwards.length === 0
      ? "nowhere"
      : columns(
          forwards.map(({ address, to, by }) => [address, `-> ${to.map(oneLine).join(", ")}`, `(${oneLine(by)})`]),
        ),
    "",
    "Who can administer:",
    columns([
      ["WHO", "SINCE", "BY", "LAST ACTION", "FROM"],
      ...admins.map(({ name, createdAt, createdBy, lastSeen }) => [
        name,
        createdAt === null ? "-" : dayAndTime(createdAt),
        createdBy || "-",
        ...seenCells(lastSeen),
      ]),
    ]),
  ];
}

function seenCells(seen: LastSeen | null): readonly string[] {
  return seen === null ? ["never", "-"] : [dayAndTime(seen.at), seen.from === "" ? "-" : printPrefix(seen.from)];
}
