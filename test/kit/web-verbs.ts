/** What the web may ask, spelled out beside the table of verbs: a verb that is opened to the web is opened twice. */
export const WEB_VERBS = [
  "admin_seen",
  "allow_add",
  "allow_list",
  "allow_remove",
  "ban",
  "cleanup",
  "dashboard_ask",
  "dashboard_login",
  "health",
  "protection",
  "unban",
  "watch",
] as const;
