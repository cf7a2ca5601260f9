/** Failures that callers distinguish. Only the reason describes any other one. */
type Trouble = "no_repository" | "wrong_key" | "full" | "damaged" | "other";
export type Failed = Readonly<{ ok: false; code: Trouble; reason: string }>;
/** `isRemote`: the repository is not a directory of this machine. */
export type ResticRun = Readonly<{ code: number; out: readonly string[]; err: string; isRemote: boolean }>;

export const DAMAGED = "it is damaged";
const REASON_CHARACTERS = 300;
/** Ended by SIGKILL: restic is the first that the kernel kills if memory runs out. */
const KILLED = 137;

/** restic's line about an attempt that it repeats. Anchored, because users name folders in other lines. A lost lock is no damage. */
const RETRIED = /^(?!\w+\(<lock\/)\w+\(.*\) returned error, retrying after (.*)/gm;
const LOST = /no such file|ciphertext|hash|ID does not match|not found/i;

/** Whether restic retries in vain, for up to a quarter of an hour, to read lost data. From another machine, the next try may read more. */
export function isLost(err: string, isRemote: boolean): boolean {
  return err.matchAll(RETRIED).some(([, why = ""]) => LOST.test(why) || (!isRemote && why.includes("EOF")));
}

/** restic relays each line of ssh, then ends with an error that names no cause. */
const SSH_MESSAGE = /^subprocess \S+: (?:ssh: )?(.*?)\.?\s*$/gm;

type Troubles = readonly (readonly [pattern: RegExp, reason: string, code?: Trouble])[];

/** restic's messages, as of version 0.14. */
const TROUBLES: Troubles = [
  [/wrong password or no key found/i, "the key does not open it", "wrong_key"],
  [/repository is already locked/i, "another backup uses it at this moment"],
  [/no space left on device|disk quota exceeded/i, "no space is left on the disk", "full"],
  [/no matching ID|no snapshot found|no matching snapshot/i, "it has no such snapshot"],
];

/** Messages that no cut connection causes. restic also prints each failed try before one that succeeded. */
const PROVEN: Troubles = [
  [
    /ciphertext verification failed|(?:ID|hash|blob|index|size)\b.{0,40} does not match|pack .*(?:invalid|damaged)|invalid data/i,
    DAMAGED,
    "damaged",
  ],
  [/^Remove\(<.*(?:denied|forbidden|not permitted)/im, "it does not allow deletions"],
];

const UNREACHED: Troubles = [
  [/signature we calculated|access key id you provided|\b401\b.*unauthorized/i, "it refuses the name or the password"],
  [/access ?denied|\b403\b.*forbidden/i, "it refuses access"],
  [
    /connection refused|no such host|network is unreachable|timeout|subprocess ssh exited|connection reset/i,
    "it cannot be reached",
  ],
  [
    /x509: certificate signed by unknown authority/,
    "its certificate is not trusted: set SSL_CERT_FILE in backup.environment_file",
  ],
  [/(?:retrying after|unable to open config file).*EOF/, "the connection was cut, or a file of it is damaged"],
];

/** "Is there a repository …?" follows every failure to open its config file. Each kind of place has its own words for a missing one. */
const BROKEN: Troubles = [
  [
    /unable to open config file: .*(?:n[o']t exist|not found|no such file|[ (=]404\b)/i,
    "it contains no backup",
    "no_repository",
  ],
  [/contains errors|pack .*not found|load .*: |errors were found|unable to load/i, DAMAGED, "damaged"],
];

/**
 * Paths of files that were not restored, whose error follows the last colon, and JSON about files that were not backed up. From
 * version 0.17, JSON also says why restic ended.
 */
const NAMED_BY_USERS = /^(?:ignoring error for .*: |\{(?!"message_type":"exit_error").*)/gm;
/** Failures to remove or refresh a lock, which may follow any other failure. Version 0.14 prints some without a line break. */
const LOCK =
  /^(?:(?:Remove|Load)\(<lock\/|error while unlocking: |error in cleanup handler: |unable to refresh lock: ).*?(?=Fatal: |Warning: |$)/gm;

/** A phrase that fits after “…: ”. */
export function failure({ code, err, out, isRemote }: ResticRun): Failed {
  if (code === 127) return { ok: false, code: "other", reason: "the program restic is missing: run `npm run setup`" };
  if (code === KILLED) return { ok: false, code: "other", reason: "restic was killed; the memory may have run out" };
  const messages = err.replaceAll(NAMED_BY_USERS, "").replaceAll(LOCK, "");
  const text = `${messages}\n${out.filter((line) => !line.startsWith("{")).join("\n")}`;
  if (isLost(err, isRemote)) return { ok: false, code: "damaged", reason: DAMAGED };
  const hasNoSession = messages.includes("unable to start the sftp session");
  const ssh = hasNoSession ? [...messages.matchAll(SSH_MESSAGE)].at(-1)?.[1] : undefined;
  if (ssh !== undefined)
    return { ok: false, code: "other", reason: `it cannot be reached: ${ssh}`.slice(0, REASON_CHARACTERS) };
  const known = [...TROUBLES, ...PROVEN, ...(isRemote ? UNREACHED : []), ...BROKEN].find(([pattern]) =>
    pattern.test(text),
  );
  if (known !== undefined) return { ok: false, code: known[2] ?? "other", reason: known[1] };
  const last =
    /unable to open config file: (.*?)\.?$/m.exec(messages)?.[1] ??
    messages
      .trim()
      .split("\n")
      .findLast((line) => line.trim() !== "") ??
    `restic ended with ${code}`;
  return { ok: false, code: "other", reason: last.slice(0, REASON_CHARACTERS) };
}
