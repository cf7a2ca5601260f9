import { instant } from "../../src/core/time.ts";
import type { CommandParts } from "../../src/guard/commands/carry-out.ts";

const openedAt = instant(Date.UTC(2026, 0, 1));

/** One open alert, and two channels; one of them failed. */
export const SAMPLE_ALERTS: CommandParts["alerts"] = {
  test: () =>
    Promise.resolve([
      { channel: "email", outcome: { ok: true } },
      { channel: "ntfy ntfy.example #0a1b2c", outcome: { ok: false, reason: "it answered 403" } },
    ]),
  book: {
    open: [{ code: "many_bans", subject: "", detail: "11 networks", openedAt, lastAt: openedAt, resolvedAt: null }],
    resolved: [],
  },
  channels: new Map([
    ["email", null],
    ["gotify g.example #1", "it answered 503"],
  ]),
  leadOut: false,
};
