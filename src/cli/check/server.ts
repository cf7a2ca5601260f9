import { type Door, type Handshake, handshake, type Offer } from "../../adapters/probes/handshake.ts";
import { PROBE_ADDRESS } from "../../core/net/ip.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import type { Health } from "../../wire/control/items.ts";
import type { AlertList } from "../../wire/verbs/server.ts";
import type { CommandCall } from "../call.ts";
import type { Reader } from "../reader.ts";
import { doorsOf } from "./doors.ts";
import type { Finding } from "./finding.ts";
import { type Machine, machine } from "./machine.ts";

/** The result of TLS at each mail port. */
export type Shaken = ReadonlyMap<Door, Handshake>;

/** The running system under check. Data that several checks need is fetched once; null: the guard does not answer. */
export type Server = Readonly<
  Pick<CommandCall, "guard" | "keeper" | "env"> & {
    layout: Layout;
    settings: Settings;
    machine: Machine;
    /** Milliseconds since the epoch. */
    now: number;
    /** Whether to send a test through each alert channel. */
    sendsTest: boolean;
    health: () => Promise<Health | null>;
    alerts: () => Promise<AlertList | null>;
    reader: () => Promise<Reader | null>;
    shaken: () => Promise<Shaken>;
  }
>;

/** A sentence about what the check does, printed with every result. */
export type Check<Name extends string = string> = Readonly<{
  name: Name;
  does: string;
  look: (server: Server) => Finding | Promise<Finding>;
}>;
export type Group = Readonly<{ name: string; checks: readonly Check[] }>;

type Call = Pick<CommandCall, "layout" | "env" | "guard" | "keeper" | "reader" | "now">;

const HANDSHAKE_MS = 10 * SECOND_MS;

export function serverOf(call: Call, settings: Settings, sendsTest: boolean): Server {
  const { layout, env, guard, keeper } = call;
  return {
    layout,
    settings,
    machine,
    now: call.now(),
    env,
    guard,
    keeper,
    sendsTest,
    health: once(async () => {
      const asked = await guard.ask<"health">({ verb: "health" });
      return asked.ok ? asked.result : null;
    }),
    alerts: once(async () => {
      const asked = await guard.ask<"alerts_list">({ verb: "alerts_list", limit: 1, cursor: null });
      return asked.ok ? asked.result : null;
    }),
    reader: once(async () => {
      const opened = await call.reader();
      return opened.ok ? opened.reader : null;
    }),
    shaken: once(() => shakeAll(settings)),
  };
}

/** Starts TLS at each mail port. */
export async function shakeAll(settings: Settings, offer?: Offer): Promise<Shaken> {
  const options = { localAddress: PROBE_ADDRESS, servername: settings.hostname, timeoutMs: HANDSHAKE_MS, offer };
  const shaken = doorsOf(settings).map(async (door) => [door, await handshake(door, options)] as const);
  return new Map(await Promise.all(shaken));
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => (asked ??= ask());
}
