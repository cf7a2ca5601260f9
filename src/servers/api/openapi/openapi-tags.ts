/** Groups of routes, in reading order. A route belongs to the group with its longest prefix. */
export const TAGS = [
  { name: "bans", description: "Who is banned.", paths: ["/api/v1/bans", "/api/security"] },
  { name: "allow list", description: "Who is never banned.", paths: ["/api/v1/allow"] },
  { name: "explanations", description: "Why something happened.", paths: ["/api/v1/why"] },
  {
    name: "events",
    description: "What happens, as a list and as streams.",
    paths: ["/api/v1/events", "/api/v1/stream"],
  },
  {
    name: "figures",
    description: "How much of it there is.",
    paths: ["/api/v1/figures", "/api/v1/top", "/api/v1/stats", "/metrics"],
  },
  {
    name: "mail",
    description: "The queue, held mail, greylisting.",
    paths: ["/api/v1/queue", "/api/v1/held", "/api/v1/greylist", "/api/v1/mail", "/api/v1/spam"],
  },
  {
    name: "accounts",
    description: "Mailboxes and aliases.",
    paths: ["/api/v1/accounts", "/api/v1/access", "/api/v1/aliases"],
  },
  { name: "my mailbox", description: "Users' own mailboxes: what they can see and change.", paths: ["/api/v1/me"] },
  {
    name: "access",
    description: "The sign-in, sessions, tokens, second factors.",
    paths: [
      "/api/v1/login",
      "/api/v1/logout",
      "/api/v1/session",
      "/api/v1/sessions",
      "/api/v1/tokens",
      "/api/v1/factors",
    ],
  },
  {
    name: "system",
    description: "The state of the server, its settings, and this description.",
    paths: [
      "/api/v1/status",
      "/healthz",
      "/openapi.json",
      "/api/v1/alerts",
      "/api/v1/backups",
      "/api/v1/upkeep",
      "/api/v1/audit",
      "/api/v1/incidents",
      "/api/v1/firewall",
      "/api/v1/fail2ban",
      "/api/v1/retention",
      "/api/v1/encryption",
      "/api/v1/system",
      "/api/v1/settings",
      "/api/v1/checks",
      "/api/v1/certificate",
      "/api/v1/dns",
    ],
  },
  { name: "page", description: "The files of the dashboard.", paths: ["/"] },
] as const;

/** The name of a route's group. */
export function tagOf(path: string): string {
  const begins = TAGS.flatMap(({ name, paths }) => paths.map((begin) => ({ name, begin })))
    .filter(({ begin }) => path === begin || path.startsWith(begin === "/" ? begin : `${begin}/`))
    .toSorted((a, b) => b.begin.length - a.begin.length);
  return begins[0]?.name ?? "page";
}
