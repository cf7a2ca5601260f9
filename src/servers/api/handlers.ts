import { Administrators } from "./administrators.ts";
import { HealthReader } from "./health.ts";
import { LoginDoor } from "./login.ts";
import type { ApiParts } from "./ports.ts";
import { Sessions } from "./sessions.ts";
import { Streams } from "./streams.ts";

/** What the routes share, including everything with state. */
export type Handlers = Readonly<{
  parts: ApiParts;
  sessions: Sessions;
  health: HealthReader;
  door: LoginDoor;
  administrators: Administrators;
  streams: Streams;
}>;

export function createHandlers(parts: ApiParts): Handlers {
  const sessions = new Sessions();
  return {
    parts,
    sessions,
    health: new HealthReader(parts),
    door: new LoginDoor(parts, sessions),
    administrators: new Administrators(parts),
    streams: new Streams(parts),
  };
}
