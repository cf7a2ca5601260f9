import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { moveFile, removeFile } from "../../adapters/root-files/files.ts";
import { writeRecord } from "../../adapters/root-files/record-file.ts";
import { makeDirectory } from "../../adapters/root-files/trees.ts";
import { removeTree } from "../../adapters/root-files/walk.ts";
import { messageOf } from "../../core/error.ts";
import { mountOf } from "../../wire/kernel/mounts.ts";
import { SetUpFailure } from "../set-up/failure.ts";
import { lockHolder } from "../set-up/lock.ts";
import { finishExchange, isExchanging, WORK, wholeBeside } from "./exchange.ts";

const STAYS: ReadonlySet<string> = new Set([WORK, "lost+found"]);

/** `out`: what is there moves aside. `in`: what was restored moves to its place. */
const schema = z.object({ step: z.enum(["out", "in"]), aside: z.nullable(z.string()) });
type State = z.output<typeof schema>;

/** Whether nothing else can take the place of this directory, only of its contents: a mount point, or a link. */
export function isFixed(data: string): boolean {
  const stat = lstatSync(data, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const path = realpathSync(data);
  return stat.isSymbolicLink() || mountOf(path, readFileSync("/proc/self/mountinfo", "utf8"))?.point === path;
}

/** Held while a restore is at work. */
export function restoreLock(data: string): string {
  return `${data}.restoring-lock`;
}

/**
 * For a start: brings to its end what a restore that was killed had begun, and removes what it had not finished, with the private keys in
 * it. True if one was finished. Throws SetUpFailure while one is at work.
 */
export function finishRestore(data: string): boolean {
  const other = lockHolder(restoreLock(data));
  if (other !== null)
    throw new SetUpFailure(`A restore is at work in ${data} (pid ${other}): start when it has ended.`);
  if (finishExchange(data)) return true;
  // What was not whole yet: of no use.
  if (!isExchanging(data)) removeTree(wholeBeside(data));
  return finishReplacing(data);
}

/** Where what is to take their place is made. */
export function wholeIn(data: string): string {
  return join(data, WORK, "whole");
}

/**
 * Puts what is in `wholeIn(data)` in the place of what is in the directory, which gets the name `aside` in it; null: it is deleted.
 * From now on `finishReplacing` brings it to its end, also after a kill. Throws, with everything as it was, if something there
 * cannot be moved.
 */
export function replaceContents(data: string, aside: string | null): void {
  keepState(data, { step: "out", aside });
  finishReplacing(data);
}

/** Brings a replacement that was killed to its end; false: there was none. One that had not begun is dropped. */
export function finishReplacing(data: string): boolean {
  const work = join(data, WORK);
  if (!existsSync(work)) return false;
  const state = readState(work);
  if (state !== null) {
    if (state.step === "out") {
      moveOut(data);
      keepState(data, { ...state, step: "in" });
    }
    for (const name of namesIn(wholeIn(data))) moveFile(join(wholeIn(data), name), join(data, name));
    if (state.aside !== null && existsSync(join(work, "old"))) moveFile(join(work, "old"), join(data, state.aside));
  }
  removeTree(work);
  return state !== null;
}

/** Removes what was made for a replacement that has not begun. */
export function dropWhole(data: string): void {
  if (readState(join(data, WORK)) === null) removeTree(join(data, WORK));
}

function moveOut(data: string): void {
  const old = join(data, WORK, "old");
  makeDirectory(old, 0o700);
  try {
    for (const name of namesIn(data)) if (!STAYS.has(name)) moveFile(join(data, name), join(old, name));
  } catch (error) {
    for (const name of namesIn(old)) moveFile(join(old, name), join(data, name));
    removeFile(stateFile(join(data, WORK)));
    throw new Error(`what is in ${data} cannot be moved aside: ${messageOf(error)}`, { cause: error });
  }
}

function keepState(data: string, state: State): void {
  writeRecord(stateFile(join(data, WORK)), state);
}

/** Null if it has not begun. */
function readState(work: string): State | null {
  if (!existsSync(stateFile(work))) return null;
  return z.parse(schema, JSON.parse(readFileSync(stateFile(work), "utf8")));
}

function stateFile(work: string): string {
  return join(work, "step.json");
}

function namesIn(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
