/** Why restic failed; `other` comes with its last line of output. */
export type Trouble =
  | "no_repository"
  | "wrong_key"
  | "locked"
  | "full"
  | "unreachable"
  | "damaged"
  | "missing"
  | "other";
export type Failed = Readonly<{ ok: false; code: Trouble; reason: string }>;
export type Ran = Readonly<{ code: number; out: readonly string[]; err: string }>;

const MOST_LAST_WORDS = 300;
/** By SIGKILL: it is what the kernel kills first. */
const KILLED = 137;

/** restic would retry for a quarter of an hour to read missing files. */
export const LOST = /retrying after .*(?:no such file|EOF|ciphertext|hash|does not match|not found)/i;

/** restic's messages, as of version 0.14. */
const TROUBLES: readonly (readonly [RegExp, Trouble, string])[] = [
  [/wrong password or no key found/i, "wrong_key", "the key does not open it"],
  [/repository is already locked/i, "locked", "another backup uses it at this moment"],
  [/no space left on device|disk quota exceeded/i, "full", "no space is left on the disk"],
  [
    /is there a repository at|repository does not exist|config(?: file)?> does not exist|stat .*config: no such file/i,
    "no_repository",
    "it contains no backup",
  ],
  [/no matching ID|no snapshot found|no matching snapshot/i, "missing", "it has no such snapshot"],
  [
    /ciphertext verification failed|does not match|contains errors|pack .*(?:invalid|damaged|not found)|invalid data|load .*: |errors were found|unable to load/i,
    "damaged",
    "it is damaged",
  ],
  [
    /connection refused|no such host|network is unreachable|timeout|subprocess ssh exited|connection reset/i,
    "unreachable",
    "it cannot be reached",
  ],
];

/** A phrase that fits after “…: ”. */
export function failure({ code, err, out }: Ran): Failed {
  if (code === 127) return { ok: false, code: "other", reason: "the program restic is missing: run `npm run setup`" };
  if (code === KILLED) return { ok: false, code: "other", reason: "restic was killed; the memory may have run out" };
  const text = `${err}\n${out.filter((line) => !line.startsWith("{")).join("\n")}`;
  if (LOST.test(err)) return { ok: false, code: "damaged", reason: "it is damaged" };
  const known = TROUBLES.find(([words]) => words.test(text));
  if (known !== undefined) return { ok: false, code: known[1], reason: known[2] };
  const last =
    err
      .trim()
      .split("\n")
      .findLast((line) => line.trim() !== "") ?? `restic ended with ${code}`;
  return { ok: false, code: "other", reason: last.slice(0, MOST_LAST_WORDS) };
}
