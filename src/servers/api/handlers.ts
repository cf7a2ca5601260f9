import { Administrators } from "./administrators.ts";
import { DashboardSessions } from "./dashboard-sessions.ts";
import { HealthReader } from "./health.ts";
import { DashboardSignIn } from "./login.ts";
import type { ApiParts } from "./ports.ts";
import { Streams } from "./streams.ts";

/** What the routes share, including everything with state. */
export type Handlers = Readonly<{
  parts: ApiParts;
  sessions: DashboardSessions;
  health: HealthReader;
  signIn: DashboardSignIn;
  administrators: Administrators;
  streams: Streams;
}>;

export function createHandlers(parts: ApiParts): Handlers {
  const sessions = new DashboardSessions();
  return {
    parts,
    sessions,
    health: new HealthReader(parts),
    signIn: new DashboardSignIn(parts, sessions),
    administrators: new Administrators(parts),
    streams: new Streams(parts),
  };
}
