import type { Verb } from "../../src/admin/declare/control.ts";
import type { KeeperCommand, KeeperReply } from "../../src/admin/declare/keeper.ts";
import { instant } from "../../src/core/time.ts";
import type { Finished } from "../../src/host/machine/run-program.ts";
import { layoutOf } from "../../src/settings/layout.ts";
import type { GuardClient, Reader } from "../../src/surfaces/cli/call.ts";
import { type Machine, type Server, serverOf, shakeAll } from "../../src/surfaces/cli/check/check.ts";
import { settingsWith } from "./loaded-settings.ts";

const settings = settingsWith();

/** 21 November 2026. */
export const CHECKED_AT = instant(Date.parse("2026-11-21T08:00:00Z"));

/** The parts of a server that a check uses; any other part throws. */
export type CheckedParts = Readonly<
  Partial<Pick<Server, "env" | "health" | "alerts" | "sendsTest" | "now">> & {
    settings?: Partial<Server["settings"]>;
    /** `address:port` of a resolver; the setting takes no port. */
    resolver?: string;
    data?: string;
    machine?: Partial<Machine>;
    /** What the guard answers to each verb. */
    answers?: Readonly<Partial<Record<Verb, unknown>>>;
    keeper?: (command: KeeperCommand) => KeeperReply;
    reader?: Partial<Reader>;
  }
>;

export function checkedServer(parts: CheckedParts = {}): Server {
  const { answers = {}, resolver, keeper, reader, machine = {}, data = "/nonexistent", ...others } = parts;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- node:dns takes a port too
  const address = (resolver ?? settings["dns.address"]) as (typeof settings)["dns.address"];
  const all = { ...settings, "dns.address": address, ...parts.settings };
  const guard: GuardClient = {
    ask: ({ verb }) => {
      const result = answers[verb];
      if (result === undefined) throw new Error(`nothing answers ${verb}`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each test gives its verb what the guard answers
      return Promise.resolve({ ok: true, result: result as never });
    },
    watch: () => Promise.reject(new Error("nothing is watched")),
  };
  const call = {
    layout: layoutOf(data),
    env: {},
    guard,
    keeper: { ask: (command: KeeperCommand) => Promise.resolve((keeper ?? missing)(command)) },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any other part throws
    reader: () => Promise.resolve({ ok: true as const, reader: (reader ?? {}) as Reader }),
    now: () => CHECKED_AT,
  };
  const server = serverOf(call, all, false);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return { ...server, ...others, settings: all, machine: machine as Machine, shaken: () => shakeAll(all) };
}

/** A program of the machine that prints this. */
export function printing(stdout: string, code = 0): Pick<Machine, "run"> {
  return { run: (): Promise<Finished> => Promise.resolve({ code, stdout, stderr: "" }) };
}

function missing(): never {
  throw new Error("no keeper");
}
