import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { nullOn } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { whyEmptied } from "../../../host/machine/settings-text.ts";
import { groupId, userIds } from "../../../host/machine/system-users.ts";
import { directories } from "../../../mail/configuration/directories.ts";
import { whyFilesMissing } from "../../../mail/configuration/site.ts";
import { CONTENT_USERS, type Layout, USERS } from "../../../settings/layout.ts";
import { fileSettings, type SettingKey, type Settings } from "../../../settings/schema.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import { check, type Finding, ok, warning, wrong } from "./check.ts";

type Expected = Readonly<{ path: string; mode: number; uid: number; gid: number }>;
/** Actual owner and mode; null if the path does not exist. */
type Actual = Readonly<{ mode: number; uid: number; gid: number }> | null;

const FIX = `${PROGRAM} restart  # each start restores owners and modes`;

/** Judges owners and excess rights. Missing rights are not dangerous, and `status` shows what cannot work. */
export function judgeOwners(what: string, entries: readonly (readonly [Expected, Actual])[]): Finding {
  const bad = entries.flatMap(([wanted, found]) => {
    if (found === null) return [];
    const owner = found.uid === wanted.uid && found.gid === wanted.gid;
    const more = found.mode & ~wanted.mode & 0o777;
    if (owner && more === 0) return [];
    return [`${wanted.path} is ${modeAndOwner(found)} instead of ${modeAndOwner(wanted)}`];
  });
  if (bad.length > 0) return wrong(`${firstFew(bad)}.`, FIX);
  const existing = entries.filter(([, found]) => found !== null).length;
  return ok(`${plural(existing, what)} with the owner and mode that set-up assigns.`);
}

function modeAndOwner({ mode, uid, gid }: NonNullable<Actual>): string {
  return `${(mode & 0o7777).toString(8).padStart(4, "0")} ${uid}:${gid}`;
}

function statOf(path: string): Actual {
  return nullOn(["ENOENT"], () => lstatSync(path));
}

function judgeFound(what: string, wanted: readonly Expected[]): Finding {
  const entries = wanted.map((one) => [one, statOf(one.path)] as const);
  return judgeOwners(what, entries);
}

function expectedDirectories(layout: Layout): readonly Expected[] {
  // If a path is listed twice, the later entry applies, as in set-up.
  const last = new Map(directories(layout).map((entry) => [entry.path, entry]));
  return [...last.values()].map(({ path, mode, user, group }) => {
    return { path, mode, uid: userIds(user).uid, gid: groupId(group) };
  });
}

/** Files that hold a secret, with who may read them. The most important first, because the check names only a few. */
function expectedSecrets(layout: Layout): readonly Expected[] {
  const { settings, settingsInForce, loginPolicySecret, tlsKey, backup, backupKey, mailPrivateKey, proofWord } = layout;
  const { uid } = userIds(USERS.guard);
  const alone = (paths: readonly string[]): readonly Expected[] =>
    paths.map((path) => ({ path, mode: 0o600, uid: 0, gid: 0 }));
  const readBy = (group: string, paths: readonly string[], owner = 0): readonly Expected[] =>
    paths.map((path) => ({ path, mode: 0o640, uid: owner, gid: groupId(group) }));
  return [
    ...readBy(USERS.guard, [settings, settingsInForce, loginPolicySecret]),
    ...alone([tlsKey, backupKey, mailPrivateKey]),
    { path: backup, mode: 0o700, uid: 0, gid: 0 },
    ...readBy(USERS.dataGroup, [layout.engineDb], uid),
    ...readBy(USERS.accountsGroup, [layout.accountsDb], uid),
    ...readBy(CONTENT_USERS.rspamd, [proofWord, ...namesIn(layout.dkimKeys)]),
    ...alone(namesIn(layout.tlsServed)),
  ];
}

function expectedSockets(layout: Layout): readonly Expected[] {
  const { uid, gid } = userIds(USERS.guard);
  const web = groupId(USERS.web);
  return [
    { path: layout.controlSocket, mode: 0o600, uid, gid: web },
    { path: layout.webSocket, mode: 0o660, uid, gid: web },
    { path: layout.keeperSocket, mode: 0o600, uid, gid },
  ];
}

/** Files and directories that users other than root may change. */
function changeable(directory: string): readonly string[] {
  return [directory, ...namesIn(directory, true)].filter((path) => {
    const one = statOf(path);
    // A link has no mode (symlink(7)).
    const isLink = one !== null && (one.mode & 0o170000) === 0o120000;
    return one !== null && (one.uid !== 0 || (!isLink && (one.mode & 0o022) !== 0));
  });
}

function namesIn(directory: string, recursive = false): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive, encoding: "utf8" }).map((name) => join(directory, name));
}

/** Settings that name a world-readable file. Every other file that a setting names counts as a secret. */
const OPEN_FILES: readonly SettingKey[] = [
  "tls.cert",
  "certificates.log",
  "certificates.files",
  "alerts.ca",
  "dns.root_hints",
  "dns.trust_anchor",
  "detection.suricata.file",
  "detection.psad.file",
  "export.syslog.ca",
  "export.syslog.cert",
  "spam.rules",
  "mailboxes.dovecot",
  "spam.update_key_file",
  "outbound.relay_ca",
];

/** The owner's files that settings name, with their modes. */
function secretsNamed(settings: Settings) {
  const secrets = fileSettings().filter((key) => !OPEN_FILES.includes(key));
  return secrets.flatMap((key) => {
    const path = settings[key];
    if (typeof path !== "string" || path === "") return [];
    const one = statOf(path);
    return one === null ? [] : [{ path, mode: one.mode }];
  });
}

export const permissions = {
  directories: check("Compares owner and mode of each directory with what set-up assigns.", ({ layout }) =>
    judgeFound("directory", expectedDirectories(layout)),
  ),
  secrets: check(
    "Compares owner and mode of keys, passwords, databases and settings with what set-up assigns.",
    ({ layout }) => judgeFound("file", expectedSecrets(layout)),
  ),
  sockets: check("Compares owner and mode of the command sockets with what they should be.", ({ layout }) =>
    judgeFound("socket", expectedSockets(layout)),
  ),
  programs: check(
    "Checks whether a user other than root could change programs or configuration that root runs.",
    ({ layout: { program, conf, services } }) => {
      const open = [program, conf, services].flatMap(changeable);
      if (open.length > 0) return wrong(`Users other than root can change ${firstFew(open)}.`, FIX);
      return ok(`Only root can change what is in ${program}, ${conf} and ${services}.`);
    },
  ),
  "named-files": check(
    "Checks whether the settings and the files that they name are there, and whether every user can read those with secrets.",
    ({ layout, settings }) => {
      const why = whyEmptied(layout) ?? whyFilesMissing(settings);
      if (why !== null) return wrong(why, "put it back; the server keeps using what it had read from it");
      const secrets = secretsNamed(settings);
      const open = secrets.filter(({ mode }) => (mode & 0o007) !== 0).map(({ path }) => path);
      if (open.length > 0)
        return warning(`Every user of this machine can read ${firstFew(open)}.`, `chmod o= ${open[0] ?? ""}`);
      return ok(`${plural(secrets.length, "file")} with secrets that settings name, none readable by every user.`);
    },
  ),
};
