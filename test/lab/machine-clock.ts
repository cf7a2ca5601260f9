import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SECOND_MS } from "../../src/core/time.ts";
import { mustRun } from "./commands.ts";

const SOURCE = join(import.meta.dirname, "machine-clock.c");
const FIELD_BYTES = 8;

/** A library that sets the clocks of the programs that load it (ld.so(8)), all at once and while they run. */
export class ClockLibrary {
  /** Below /var/tmp: every user must be able to read it. */
  readonly directory = mkdtempSync("/var/tmp/gi-clock-");
  readonly path = join(this.directory, "clock.so");
  readonly #file = join(this.directory, "ahead");

  constructor() {
    chmodSync(this.directory, 0o755);
    writeFileSync(this.#file, Buffer.alloc(2 * FIELD_BYTES));
    process.on("exit", () => rmSync(this.directory, { recursive: true, force: true }));
  }

  async build(): Promise<void> {
    const source = join(this.directory, "clock.c");
    copyFileSync(SOURCE, source);
    await mustRun(["tcc", "-shared", "-nostdlib", `-DAHEAD="${this.#file}"`, "-o", this.path, source]);
  }

  /** How far the wall clock is ahead, and how long the machine slept since its boot. Whole seconds. */
  set({ wallMs, sleptMs }: Readonly<{ wallMs: number; sleptMs: number }>): void {
    const fields = Buffer.alloc(2 * FIELD_BYTES);
    for (const [index, ms] of [wallMs, sleptMs].entries())
      fields.writeBigInt64LE(BigInt(Math.round(ms / SECOND_MS)), index * FIELD_BYTES);
    const file = openSync(this.#file, "r+");
    writeSync(file, fields, 0, fields.length, 0);
    closeSync(file);
  }
}

/**
 * The wall clock of the whole server: every program that `npm start` starts, under any user and in any chroot, loads our
 * library in the server's own mount namespace (ld.so(8), /etc/ld.so.preload). This machine's clock stays unchanged, and so
 * do the times of files.
 */
export class MachineClock {
  readonly #library = new ClockLibrary();
  #aheadMs = 0;

  /** Starts a program with this clock. */
  get within(): readonly string[] {
    const etc = join(this.#library.directory, "etc");
    const copy = `cp -a /etc ${etc}; echo ${this.#library.path} >${etc}/ld.so.preload`;
    return ["sh", "-ec", `[ -e ${etc} ] || { ${copy}; }; mount --bind ${etc} /etc; exec "$@"`, "sh"];
  }

  prepare(): Promise<void> {
    return this.#library.build();
  }

  get now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Sets it this far ahead of the real time. */
  set(aheadMs: number): void {
    this.#aheadMs = aheadMs;
    this.#library.set({ wallMs: aheadMs, sleptMs: 0 });
  }
}
