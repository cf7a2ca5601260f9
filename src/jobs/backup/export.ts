import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../../core/error.ts";
import type { Failed, Outcome } from "../../guard/ports.ts";
import { runProgram } from "../../host/machine/run-program.ts";
import { writeStream } from "../../host/root-files/copies.ts";
import { makeDirectory, makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import type { Layout } from "../../settings/layout.ts";
import { namedFiles, type Settings } from "../../settings/schema.ts";
import { pack, unpack } from "./archive.ts";
import { lackingForStage } from "./create.ts";
import { alone, memoryDirectory, removeLeftOverKeys } from "./repository.ts";
import type { Progress } from "./restic.ts";
import { createStage } from "./stage.ts";

type Watch = (progress: Progress) => void;
type ExportHow = Readonly<{ file: string; passphrase: string; settings: Settings; watch: Watch }>;
type ReadHow = Pick<ExportHow, "file" | "passphrase" | "watch"> &
  Readonly<{ to: string; signal?: AbortSignal | undefined }>;

/** The name that the original project's script gives an archive. */
export function archiveIn(directory: string, at: Date): string {
  return join(directory, `email-${at.toISOString().slice(0, 10).replaceAll("-", "")}`, "email-backup.tar.gz.gpg");
}

/** Writes the whole state of the server to one encrypted file, for machines without restic, while the server runs. */
export async function exportArchive(
  layout: Layout,
  { file, passphrase, settings, watch }: ExportHow,
): Promise<Readonly<{ ok: true; bytes: number; mails: number }> | Failed> {
  if (existsSync(file)) return { ok: false, reason: `${file} already exists; choose another file.` };
  return alone(layout, async () => {
    const stage = createStage(layout, namedFiles(settings));
    try {
      // The stage of a killed backup takes space that this one needs.
      stage.remove();
      const lacking = lackingForStage(layout);
      if (lacking !== null) return { ok: false, reason: lacking };
      const manifest = await stage.build({ at: Date.now(), host: settings.hostname });
      makeDirectory(dirname(file), 0o700);
      const packed = await withGpg((home) =>
        pack(
          stage.path(),
          (archive, isWhole) => writeStream(file, archive, { mode: 0o600, isWhole }),
          { passphrase, home },
          watchBytes(watch, 0),
        ),
      );
      if (!packed.ok) return { ok: false, reason: `${file} could not be written: ${packed.reason}.` };
      return { ok: true, bytes: statSync(file).size, mails: manifest.mails + manifest.queued };
    } catch (error) {
      return { ok: false, reason: `${file} could not be written: ${messageOf(error)}.` };
    } finally {
      stage.remove();
    }
  });
}

/** Unpacks an archive into an existing directory. */
export function readArchive({ file, passphrase, to, watch, signal }: ReadHow): Promise<Outcome> {
  const bytes = watchBytes(watch, statSync(file).size);
  return withGpg((home) => unpack(file, to, { passphrase, home }, { bytes, signal }));
}

/** Gives `work` a temporary home for gpg and its agent, in memory: a container's root file system is read-only. */
async function withGpg<T>(work: (home: string) => Promise<T>): Promise<T> {
  const home = memoryDirectory("gpg");
  removeLeftOverKeys();
  makePrivateDirectory(home);
  try {
    return await work(home);
  } finally {
    await runProgram("gpgconf", ["--homedir", home, "--kill", "gpg-agent"]);
    removeTree(home);
  }
}

function watchBytes(watch: Watch, totalBytes: number): (done: number) => void {
  const from = performance.now();
  return (doneBytes) =>
    watch({ doneBytes, totalBytes: Math.max(totalBytes, doneBytes), elapsedMs: performance.now() - from });
}
