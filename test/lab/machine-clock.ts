import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SECOND_MS } from "../../src/core/time.ts";
import { mustRun } from "./commands.ts";

const FIELD_BYTES = 8;

/** Builds a library that sets the clocks of the programs that load it (ld.so(8)), all at once and while they run. */
export function clockLibrary() {
  // Below /var/tmp: every user must be able to read it.
  const directory = mkdtempSync("/var/tmp/gi-clock-");
  const at = (name: string): string => join(directory, name);
  chmodSync(directory, 0o755);
  writeFileSync(at("ahead"), Buffer.alloc(2 * FIELD_BYTES));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  return {
    at,
    path: at("clock.so"),

    build: async (): Promise<void> => {
      copyFileSync(join(import.meta.dirname, "machine-clock.c"), at("clock.c"));
      await mustRun(["tcc", "-shared", "-nostdlib", `-DAHEAD="${at("ahead")}"`, "-o", at("clock.so"), at("clock.c")]);
    },

    /** How far the wall clock is ahead, and how long the machine slept since its boot. Whole seconds. */
    set: (wallMs: number, sleptMs: number): void => {
      const fields = Buffer.alloc(2 * FIELD_BYTES);
      for (const [index, ms] of [wallMs, sleptMs].entries())
        fields.writeBigInt64LE(BigInt(Math.round(ms / SECOND_MS)), index * FIELD_BYTES);
      const file = openSync(at("ahead"), "r+");
      writeSync(file, fields, 0, fields.length, 0);
      closeSync(file);
    },
  };
}

/**
 * The wall clock of the whole server. Every program that `npm start` starts, under any user and in any chroot, loads our library
 * in the server's own mount namespace (ld.so(8), /etc/ld.so.preload). This machine's clock and file times stay unchanged.
 */
export function machineClock() {
  const { at, path, build, set } = clockLibrary();
  const copy = `cp -a /etc ${at("etc")}; echo ${path} >${at("etc")}/ld.so.preload`;
  let ahead = 0;
  return {
    /** Starts a program with this clock. */
    within: ["sh", "-ec", `[ -e ${at("etc")} ] || { ${copy}; }; mount --bind ${at("etc")} /etc; exec "$@"`, "sh"],
    prepare: build,
    now: () => Date.now() + ahead,
    /** Sets it this far ahead of the real time. */
    set: (aheadMs: number): void => {
      ahead = aheadMs;
      set(aheadMs, 0);
    },
  };
}
