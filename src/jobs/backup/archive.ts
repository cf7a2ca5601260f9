import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { codeOf, messageOf } from "../../core/error.ts";
import type { Outcome } from "../../guard/ports.ts";
import { cleanEnvironment, withPipes } from "../../host/machine/run-program.ts";

/**
 * An archive as `tar -cz | gpg --symmetric` makes it, with AES-256: anyone with the two programs and the passphrase can
 * read it, without GhostInbox.
 */
export type Secret = Readonly<{ passphrase: string /** For gpg's own files. */; home: string }>;

const GPG = ["--batch", "--no-options", "--no-symkey-cache", "--pinentry-mode", "loopback", "--passphrase-fd", "3"];
const REASON_CHARACTERS = 300;

/** Packs everything in a directory; `write` takes the archive, and checks at the end that it is complete. */
export async function pack(
  directory: string,
  write: (archive: Readable, isWhole: () => Promise<boolean>) => Promise<void>,
  secret: Secret,
  bytes: (done: number) => void,
): Promise<Outcome> {
  // tar(1) exits with 1 if a file changed while it was read. Here only the link count can change, if a user moves or deletes the mail.
  const tar = start("tar", ["--sort=name", "-cz", "."], { cwd: directory, mayEndWith: 1 });
  tar.in.end();
  const encrypt = ["--cipher-algo", "AES256", "--compress-algo", "none", "--symmetric", "--output", "-"];
  const gpg = startGpg(encrypt, secret);
  // If tar fails, gpg still ends successfully with the partial archive.
  const isWhole = async (): Promise<boolean> =>
    (await Promise.all([tar.ended, gpg.ended])).every((words) => words === null);
  return run([gpg, tar], async () => {
    let done = 0;
    gpg.out.on("data", (chunk: Buffer) => bytes((done += chunk.length)));
    await Promise.all([pipeline(tar.out, gpg.in), write(gpg.out, isWhole)]);
  });
}

/** Unpacks into an existing directory, until `signal` ends it. */
export async function unpack(
  file: string,
  directory: string,
  secret: Secret,
  { bytes, signal }: Readonly<{ bytes: (done: number) => void; signal?: AbortSignal | undefined }>,
): Promise<Outcome> {
  const gpg = startGpg(["--decrypt", "--output", "-"], secret);
  const tar = start("tar", ["-C", directory, "-xz", "--numeric-owner"]);
  tar.out.resume();
  return run([gpg, tar], async () => {
    let done = 0;
    const source = createReadStream(file).on("data", (chunk) => bytes((done += chunk.length)));
    await Promise.all([pipeline(source, gpg.in, { signal }), pipeline(gpg.out, tar.in)]);
  });
}

type Running = Readonly<{ in: Writable; out: Readable; ended: Promise<string | null> }>;

/** A disk that fails breaks the pipes of the programs, so its error counts more than their messages. */
const DISK_ERRORS: readonly unknown[] = ["ENOSPC", "EDQUOT", "EFBIG", "EIO"];

/** If a program ended and so broke the pipes, its own message counts. */
async function run(programs: readonly Running[], transfer: () => Promise<void>): Promise<Outcome> {
  const transferred = transfer().then(
    () => null,
    (error: unknown) => ({ says: messageOf(error), isDisk: DISK_ERRORS.includes(codeOf(error)) }),
  );
  const failures = await Promise.all(programs.map(({ ended }) => ended));
  const broken = await transferred;
  const failure = broken?.isDisk === true ? undefined : failures.find((one) => one !== null);
  const reason = failure ?? broken?.says ?? null;
  return reason === null ? { ok: true } : { ok: false, reason };
}

function startGpg(args: readonly string[], { passphrase, home }: Secret): Running {
  return start("gpg", ["--homedir", home, ...GPG, ...args], { secret: `${passphrase}\n` });
}

/** `secret` is what the program reads from its descriptor 3. */
function start(
  program: string,
  args: readonly string[],
  { secret = "", cwd = process.cwd(), mayEndWith = 0 } = {},
): Running {
  const argv = ["--pdeathsig", "TERM", "--", program, ...args];
  const env = cleanEnvironment();
  const child = withPipes(spawn("setpriv", argv, { cwd, stdio: ["pipe", "pipe", "pipe", "pipe"], env }));
  const [input, out, errors, descriptor] = child.stdio;
  if (descriptor !== undefined && descriptor !== null && "end" in descriptor)
    descriptor.on("error", () => undefined).end(secret);
  let words = "";
  errors.on("data", (chunk: Buffer) => (words = `${words}${chunk.toString()}`.slice(-REASON_CHARACTERS)));
  const ended = new Promise<string | null>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      resolve(code === 0 || code === mayEndWith ? null : sentence(words.trim(), program, code ?? signal));
    });
  });
  return { in: input, out, ended };
}

const DAMAGE =
  /no valid openpgp data|invalid packet|decryption failed|mdc|checksum|unexpected (?:eof|end)|not in gzip format/i;

function sentence(words: string, program: string, how: number | string | null): string {
  if (/bad session key|decryption failed: bad/i.test(words)) return "the passphrase does not open it";
  if (DAMAGE.test(words)) return "it is damaged";
  if (/no space left/i.test(words)) return "no space is left on the disk";
  return words.split("\n").at(-1) || `${program} ended with ${how}`;
}
