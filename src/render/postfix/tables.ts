import { RENDERED_BY, type RenderedFile, type Site } from "../site.ts";

/** Lookups in accounts.db (sqlite_table(5)). The views belong to the database's schema. */
export const TABLES = {
  mailboxes: { file: "mailboxes.cf", query: "SELECT address FROM mailbox WHERE address = '%s'" },
  aliases: { file: "aliases.cf", query: "SELECT targets FROM alias_map WHERE address = '%s'" },
  senders: { file: "senders.cf", query: "SELECT logins FROM sender_login WHERE address = '%s'" },
} as const;

export function renderPostfixTables({ layout, domains }: Site): readonly RenderedFile[] {
  return Object.values(TABLES).map(({ file, query }) => ({
    name: file,
    // `domain` skips the database for addresses of foreign domains.
    text: `# ${RENDERED_BY}\ndbpath = ${layout.accountsDb}\nquery = ${query}\ndomain = ${domains.join(" ")}\n`,
    mode: 0o644,
  }));
}
