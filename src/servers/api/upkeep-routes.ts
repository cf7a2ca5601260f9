import { PAGE } from "../../wire/control/paging.ts";
import { command } from "./commands.ts";
import type { Handlers } from "./handlers.ts";
import { type Route, route } from "./route.ts";
import { allowQuery } from "./schemas.ts";
import * as shape from "./upkeep-schemas.ts";

/** What keeps the server well: alerts, backups, checks, the certificate, DNS records. The guard knows all of it. */
export function upkeepRoutes({ parts }: Pick<Handlers, "parts">): readonly Route[] {
  const { guard } = parts;
  return [
    route({
      method: "GET",
      path: "/api/v1/alerts",
      asks: "alerts_list",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Alerts, the open ones first, the newest first of each, a page at a time; and the channels that tell of them.",
      query: allowQuery,
      answer: shape.alertPage,
      run: ({ by, query: { limit = PAGE.usual, cursor } }) =>
        command(guard, by, { verb: "alerts_list", limit, cursor: cursor ?? null }, ({ channels, alerts, ...page }) => ({
          ...page,
          channels: [...channels],
          items: [...alerts],
        })),
    }),
    route({
      method: "POST",
      path: "/api/v1/alerts/test",
      asks: "alerts_test",
      who: "session_or_token",
      bodyBytes: 0,
      says: "Sends a test to each alert channel, and tells whether it was taken. At most ten times an hour.",
      answer: shape.channelTests,
      run: ({ by }) => command(guard, by, { verb: "alerts_test" }, ({ results }) => ({ results: [...results] })),
    }),
    route({
      method: "GET",
      path: "/api/v1/upkeep",
      asks: "upkeep",
      who: "session_or_token",
      bodyBytes: 0,
      says: "What the last backup, restore drill, checks, report and the like came to.",
      answer: shape.upkeep,
      run: ({ by }) => command(guard, by, { verb: "upkeep" }, ({ upkeep }) => ({ items: [...upkeep] })),
    }),
    route({
      method: "GET",
      path: "/api/v1/certificate",
      asks: "certificate",
      who: "session_or_token",
      bodyBytes: 0,
      says: "The certificate of the mail ports: its names, its end, and which ports give it.",
      answer: shape.certificate,
      run: ({ by }) =>
        command(guard, by, { verb: "certificate" }, ({ certificate: { names, ports, ...rest } }) => ({
          ...rest,
          names: [...names],
          ports: [...ports],
        })),
    }),
    route({
      method: "GET",
      path: "/api/v1/dns",
      asks: "dns_check",
      who: "session_or_token",
      bodyBytes: 0,
      says: "The DNS records of a mail domain as they should be, and whether they are published.",
      query: shape.dnsQuery,
      answer: shape.dns,
      run: ({ by, query }) =>
        command(guard, by, { verb: "dns_check", domain: query.domain ?? null }, ({ domains, records, ...rest }) => ({
          ...rest,
          domains: [...domains],
          records: [...records],
        })),
    }),
  ];
}
