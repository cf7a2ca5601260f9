import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { type Route, route } from "./route.ts";
import * as shape from "./server-schemas.ts";

/** How root keeps this server: what only root can read, told by the keeper through the guard. The web can change none of it. */
export function serverRoutes({ parts: { guard } }: Pick<Handlers, "parts">): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/api/v1/incidents",
      needs: "admin",
      asks: "incident_list",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Incidents, the timeline of the one that is open, and whether the server is isolated.",
      answer: shape.incidents,
      run: ({ by }) =>
        command(guard, by, { verb: "incident_list" }, ({ incidents, timeline, isolation }) => ({
          incidents: [...incidents],
          timeline: [...timeline],
          isolation: isolation && { ...isolation, allow: [...isolation.allow], shut: [...isolation.shut] },
        })),
    }),
    route({
      method: "GET",
      path: "/api/v1/firewall",
      asks: "firewall",
      who: "session_or_token",
      bodyBytes: 0,
      says: "What the firewall lets in now.",
      answer: shape.firewall,
      run: ({ by }) =>
        command(guard, by, { verb: "firewall" }, ({ open, trusted, faults, ...rest }) => ({
          ...rest,
          open: open && [...open],
          trusted: [...trusted],
          faults: [...faults],
        })),
    }),
    route({
      method: "GET",
      path: "/api/v1/retention",
      needs: "admin",
      asks: "retention",
      who: "session_or_token",
      bodyBytes: 0,
      says: "When old mail is removed next, what the last run removed, and whose mail is under legal hold.",
      answer: shape.retention,
      run: ({ by }) =>
        command(guard, by, { verb: "retention" }, ({ legalHolds, ...rest }) => ({
          ...rest,
          legalHolds: [...legalHolds],
        })),
    }),
    route({
      method: "GET",
      path: "/api/v1/encryption",
      needs: "admin",
      asks: "encryption",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Whether mail is encrypted on the disk, whether it can be read, and which accounts have keys of their own.",
      answer: shape.encryption,
      run: ({ by }) =>
        command(guard, by, { verb: "encryption" }, ({ accounts, ...rest }) => ({
          ...rest,
          accounts: { ...accounts, without: [...accounts.without], closed: [...accounts.closed] },
        })),
    }),
    route({
      method: "GET",
      path: "/api/v1/fail2ban",
      asks: "fail2ban",
      who: "session_or_token",
      bodyBytes: 0,
      says: "The jails of Fail2ban and what they found. Fail2ban is asked once a minute.",
      answer: shape.fail2ban,
      run: ({ by }) =>
        command(guard, by, { verb: "fail2ban" }, ({ jails, refused, ...rest }) => ({
          ...rest,
          jails: [...jails],
          refused: [...refused],
        })),
    }),
    route({
      method: "GET",
      path: "/api/v1/checks",
      asks: "checks",
      who: "session_or_token",
      bodyBytes: 0,
      says: "What the checks of the whole server came to when they last ran. To ask starts none.",
      answer: shape.checks,
      run: ({ by }) => command(guard, by, { verb: "checks" }, ({ at, checks }) => ({ at, checks: [...checks] })),
    }),
  ];
}
